// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {Anchor} from "./Anchor.sol";
import {Token} from "./Token.sol";

/// Pays the tokens of settlement records (pof-records(5)) that stand in an anchored log. One contract
/// is deployed for each published terms, whose hash it names: a record settled under others is refused.
/// Nobody's word is taken: amounts and payees are read out of the record, and the record, or the
/// commitment to it, is proved to be in the log (RFC 9162, 2.1.3.2). Tokens come from the contract's own
/// account, filled beforehand, so that payees see what is there.
contract Settlement {
    /// A record in canonical form (RFC 8785), where its members begin, and its proof. A member is
    /// given by the place of the '{' or ',' before its name: the contract compares and does not search.
    struct Claim {
        bytes record;
        uint16[8] places; // award, owner (if there is one), penalty_eur, schema, seller, session, terms, tokens
        bytes32 salt; // of the commitment that the log holds; 0: it holds the record itself
        uint64 index;
        uint64 size;
        bytes32[] path;
    }

    Anchor public immutable anchor;
    Token public immutable token;
    bytes32 public immutable origin; // SHA-256 of the log's origin
    bytes32 public immutable terms; // SHA-256 of the canonical terms record
    bytes32 private immutable termsText; // Keccak-256 of its hexadecimal digits, as records have them
    uint64 public immutable until; // from then on the payer may take back what is left
    address public immutable payer = msg.sender;

    /// Accounts of sellers and owners, by the SHA-256 of the name in the record.
    mapping(bytes32 => address) public accountOf;
    /// Awards that were paid, by keyOf.
    mapping(bytes32 => bool) public settled;

    event Registered(bytes32 indexed party, address account);
    event Paid(bytes32 indexed award, bytes32 indexed party, uint256 tokens);

    constructor(Anchor anchor_, Token token_, bytes32 origin_, bytes32 terms_, uint64 until_) {
        require(address(anchor_).code.length > 0 && address(token_).code.length > 0, "no contract");
        (anchor, token, origin, terms, until) = (anchor_, token_, origin_, terms_, until_);
        termsText = keccak256(hexadecimal(terms_));
    }

    /// The payer names an account once; from then on only its holder may move it.
    function register(bytes32 party, address account) external {
        address now_ = accountOf[party];
        require(msg.sender == (now_ == address(0) ? payer : now_), "neither payer nor holder");
        require(account != address(0), "no account");
        accountOf[party] = account;
        emit Registered(party, account);
    }

    /// All of them or none.
    function settle(Claim[] calldata claims) external {
        for (uint256 i = 0; i < claims.length; i++) {
            one(claims[i]);
        }
    }

    /// What is left, once the time for claims is over.
    function close() external {
        require(msg.sender == payer, "only the payer may close");
        require(block.timestamp >= until, "claims may still come");
        require(token.transfer(payer, token.balanceOf(address(this))), "transfer failed");
    }

    /// Which of these awards are paid.
    function paid(bytes32[] calldata keys) external view returns (bool[] memory out) {
        out = new bool[](keys.length);
        for (uint256 i = 0; i < keys.length; i++) {
            out[i] = settled[keys[i]];
        }
    }

    function one(Claim calldata c) private {
        require(
            keccak256(text(c.record, c.places[3], '"schema":"')) == keccak256("pof.settlement/1"),
            "not a settlement"
        );
        require(keccak256(text(c.record, c.places[6], '"terms":"')) == termsText, "settled under other terms");
        bytes32 root = anchor.rootOf(origin, c.size);
        require(root != 0, "this size is not anchored");
        require(included(leaf(c), c, root), "not in the log");
        bytes32 key = keccak256(
            abi.encode(text(c.record, c.places[5], '"session":"'), text(c.record, c.places[0], '"award":"'))
        );
        require(!settled[key], "settled before");
        settled[key] = true;
        uint256 amount = number(c.record, c.places[7], '"tokens":');
        uint256 owners = ownersPart(c.record, c.places[2]);
        require(owners <= amount, "the owner's part is more than all");
        pay(key, text(c.record, c.places[4], '"seller":"'), amount - owners);
        if (owners > 0) {
            pay(key, text(c.record, c.places[1], '"owner":"'), owners);
        }
    }

    function pay(bytes32 award, bytes calldata name, uint256 amount) private {
        bytes32 party = sha256(name);
        address to = accountOf[party];
        require(to != address(0), "the seller or owner has no account");
        require(amount == 0 || token.transfer(to, amount), "transfer failed");
        emit Paid(award, party, amount);
    }

    /// What the log holds: the record, or {"commitment":..., "schema":...} with the base64 (RFC 4648) of
    /// SHA-256(salt || record).
    function leaf(Claim calldata c) private pure returns (bytes32) {
        if (c.salt == 0) {
            return sha256(abi.encodePacked(hex"00", c.record));
        }
        uint256 hash = uint256(sha256(abi.encodePacked(c.salt, c.record)));
        bytes memory digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        bytes memory out = new bytes(44);
        for (uint256 i = 0; i < 42; i++) {
            out[i] = digits[(hash >> (250 - 6 * i)) & 63];
        }
        (out[42], out[43]) = (digits[(hash << 2) & 63], "=");
        return sha256(abi.encodePacked(hex"00", '{"commitment":"', out, '","schema":"pof.commitment/1"}'));
    }

    /// RFC 9162 section 2.1.3.2, with the index and the last index going up the tree together.
    function included(bytes32 hash, Claim calldata c, bytes32 root) private pure returns (bool) {
        if (c.index >= c.size) {
            return false;
        }
        uint64 fn = c.index;
        uint64 sn = c.size - 1;
        for (uint256 i = 0; i < c.path.length; i++) {
            if (sn == 0) {
                return false;
            }
            if (fn & 1 == 1 || fn == sn) {
                hash = sha256(abi.encodePacked(hex"01", c.path[i], hash));
                while (fn & 1 == 0 && fn != 0) {
                    (fn, sn) = (fn >> 1, sn >> 1);
                }
            } else {
                hash = sha256(abi.encodePacked(hex"01", hash, c.path[i]));
            }
            (fn, sn) = (fn >> 1, sn >> 1);
        }
        return sn == 0 && hash == root;
    }

    /// Where the value of the member at a place begins. Within a string every '"' has a '\' before it,
    /// so a '"' behind '{' or ',' can only begin a member; records have no objects within.
    function value(bytes calldata record, uint256 place, bytes memory name) private pure returns (uint256 to) {
        to = place + 1 + name.length;
        require(to <= record.length && keccak256(record[place + 1:to]) == keccak256(name), "not this member");
        require(record[place] == "{" || record[place] == ",", "not a member");
    }

    /// A text without escapes, as canonical JSON has it between its quotes.
    function text(bytes calldata record, uint256 place, bytes memory name) private pure returns (bytes calldata) {
        uint256 from = value(record, place, name);
        uint256 to = from;
        while (to < record.length && record[to] != '"') {
            require(record[to] != "\\", "a name with escapes");
            to++;
        }
        require(to < record.length, "a text without end");
        return record[from:to];
    }

    /// A whole number, not negative.
    function number(bytes calldata record, uint256 place, bytes memory name) private pure returns (uint256 n) {
        uint256 from = value(record, place, name);
        uint256 to = from;
        for (; to < record.length && record[to] >= "0" && record[to] <= "9"; to++) {
            n = n * 10 + uint8(record[to]) - 48;
        }
        require(to > from && to < record.length && (record[to] == "," || record[to] == "}"), "not a number");
    }

    /// The owner's part of the tokens. Whoever claims shows where penalty_eur stands; in the order of
    /// canonical members owner_tokens is right before it or not there, so it cannot be hidden.
    function ownersPart(bytes calldata record, uint256 place) private pure returns (uint256) {
        bytes memory name = ',"owner_tokens":';
        value(record, place, '"penalty_eur":');
        uint256 from = place;
        while (from > 0 && record[from - 1] >= "0" && record[from - 1] <= "9") {
            from--;
        }
        if (from < name.length || keccak256(record[from - name.length:from]) != keccak256(name)) {
            return 0;
        }
        return number(record, from - name.length, '"owner_tokens":');
    }

    function hexadecimal(bytes32 hash) private pure returns (bytes memory out) {
        out = new bytes(64);
        for (uint256 i = 0; i < 64; i++) {
            out[i] = bytes("0123456789abcdef")[(uint256(hash) >> (252 - 4 * i)) & 15];
        }
    }
}
