// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// Who may read whose data, and until when. A subscription is known by a hash; what it says stays off
/// the chain. Each owner has a list of its own, so nobody can take an id from another.
contract Subscriptions {
    struct Subscription {
        address consumer;
        uint64 until; // seconds since 1970; 0: never granted
        bool revoked;
    }

    mapping(address => mapping(bytes32 => Subscription)) public granted;

    event Granted(address indexed owner, bytes32 indexed id, address indexed consumer, uint64 until);
    event Revoked(address indexed owner, bytes32 indexed id, address by);

    /// Grants, or grants for longer. What was revoked stays so: it takes a new id.
    function grant(bytes32 id, address consumer, uint64 until) external {
        Subscription storage s = granted[msg.sender][id];
        require(consumer != address(0), "no consumer");
        require(until > block.timestamp, "ends before it begins");
        require(s.until == 0 || s.consumer == consumer, "granted to another consumer");
        require(!s.revoked, "revoked: take a new id");
        s.consumer = consumer;
        s.until = until;
        emit Granted(msg.sender, id, consumer, until);
    }

    /// By the owner or by the consumer, who may also give it back.
    function revoke(address owner, bytes32 id) external {
        Subscription storage s = granted[owner][id];
        require(s.until != 0, "never granted");
        require(msg.sender == owner || msg.sender == s.consumer, "neither owner nor consumer");
        require(!s.revoked, "revoked before");
        s.revoked = true;
        emit Revoked(owner, id, msg.sender);
    }

    /// At the time of the newest block.
    function allowed(address owner, bytes32 id, address consumer) external view returns (bool) {
        Subscription storage s = granted[owner][id];
        return s.consumer == consumer && !s.revoked && block.timestamp < s.until;
    }
}
