// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// Tokens for flexibility: whole ones, by the conventions of ERC-20, and payments that carry a
/// reference and happen once.
contract Token {
    string public constant name = "POF token";
    string public constant symbol = "POF";
    uint8 public constant decimals = 0;

    address public immutable issuer = msg.sender;
    uint256 public totalSupply;
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;
    /// References that an account has paid under.
    mapping(address => mapping(bytes32 => bool)) public paid;

    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);
    event Paid(address indexed from, address indexed to, bytes32 indexed reference_, uint256 value);

    constructor(uint256 supply) {
        issue(supply);
    }

    /// New tokens, to the issuer.
    function issue(uint256 value) public {
        require(msg.sender == issuer, "only the issuer may issue");
        totalSupply += value;
        balanceOf[issuer] += value;
        emit Transfer(address(0), issuer, value);
    }

    function transfer(address to, uint256 value) external returns (bool) {
        move(msg.sender, to, value);
        return true;
    }

    function transferFrom(address from, address to, uint256 value) external returns (bool) {
        uint256 left = allowance[from][msg.sender];
        require(value <= left, "more than allowed");
        if (left != type(uint256).max) {
            allowance[from][msg.sender] = left - value;
        }
        move(from, to, value);
        return true;
    }

    function approve(address spender, uint256 value) external returns (bool) {
        allowance[msg.sender][spender] = value;
        emit Approval(msg.sender, spender, value);
        return true;
    }

    /// A transfer that cannot happen twice, whatever its sender forgets: each reference pays once.
    function pay(address to, uint256 value, bytes32 reference_) external {
        require(!paid[msg.sender][reference_], "paid before under this reference");
        paid[msg.sender][reference_] = true;
        move(msg.sender, to, value);
        emit Paid(msg.sender, to, reference_, value);
    }

    function move(address from, address to, uint256 value) private {
        require(to != address(0), "no receiver");
        require(value <= balanceOf[from], "not enough tokens");
        balanceOf[from] -= value;
        balanceOf[to] += value;
        emit Transfer(from, to, value);
    }
}
