// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {Anchor} from "./Anchor.sol";
import {Token} from "./Token.sol";

/// Pays the tokens of settlement records (pof-records(5)) that stand in an anchored log. One contract
/// is deployed for each published terms file, whose hash it names. Nobody's word is taken: amount and
/// payee are read out of the record, and the record is proved to be in the log (RFC 9162, 2.1.3.2).
/// Tokens come from the contract's own account, filled beforehand, so that payees see what is there.
contract Settlement {
    /// A record in canonical form (RFC 8785), where its members begin, and its proof. A member is
    /// given by the place of the '{' or ',' before its name: the contract compares and does not search.
    struct Claim {
        bytes record;
        uint16[5] places; // award, schema, seller, session, tokens
        uint64 index;
        uint64 size;
        bytes32[] path;
    }

    Anchor public immutable anchor;
    Token public immutable token;
    bytes32 public immutable origin; // SHA-256 of the log's origin
    bytes32 public immutable terms; // SHA-256 of the terms file
    uint64 public immutable until; // from then on the payer may take back what is left
    address public immutable payer = msg.sender;

    /// Accounts of sellers, by the SHA-256 of the name in the record.
    mapping(bytes32 => address) public accountOf;
    /// Awards that were paid, by keyOf.
    mapping(bytes32 => bool) public settled;

    event Registered(bytes32 indexed seller, address account);
    event Settled(bytes32 indexed award, bytes32 indexed seller, uint256 tokens);

    constructor(Anchor anchor_, Token token_, bytes32 origin_, bytes32 terms_, uint64 until_) {
        require(address(anchor_).code.length > 0 && address(token_).code.length > 0, "no contract");
        (anchor, token, origin, terms, until) = (anchor_, token_, origin_, terms_, until_);
    }

    /// The payer names an account once; from then on only its holder may move it.
    function register(bytes32 seller, address account) external {
        address now_ = accountOf[seller];
        require(msg.sender == (now_ == address(0) ? payer : now_), "neither payer nor holder");
        require(account != address(0), "no account");
        accountOf[seller] = account;
        emit Registered(seller, account);
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
            keccak256(text(c.record, c.places[1], '"schema":"')) == keccak256("pof.settlement/1"),
            "not a settlement"
        );
        bytes32 root = anchor.rootOf(origin, c.size);
        require(root != 0, "this size is not anchored");
        require(included(sha256(abi.encodePacked(hex"00", c.record)), c, root), "not in the log");
        bytes32 key = keccak256(
            abi.encode(text(c.record, c.places[3], '"session":"'), text(c.record, c.places[0], '"award":"'))
        );
        require(!settled[key], "settled before");
        settled[key] = true;
        bytes32 seller = sha256(text(c.record, c.places[2], '"seller":"'));
        address to = accountOf[seller];
        require(to != address(0), "the seller has no account");
        uint256 amount = number(c.record, c.places[4], '"tokens":');
        require(amount == 0 || token.transfer(to, amount), "transfer failed");
        emit Settled(key, seller, amount);
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
}
