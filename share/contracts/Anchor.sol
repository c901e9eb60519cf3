// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// Roots of Merkle logs (RFC 6962), so that their keeper cannot show one history to some and another
/// to others. A log may grow; whether it grew from what was anchored before is not checked here: who
/// has both checkpoints checks that off the chain (pof-certify consistency).
contract Anchor {
    /// Who deployed the contract; nobody else anchors.
    address public immutable keeper = msg.sender;

    /// The largest size anchored of a log, by the SHA-256 of its origin.
    mapping(bytes32 => uint64) public sizeOf;
    /// The root of each size anchored: a proof to an earlier checkpoint stays good.
    mapping(bytes32 => mapping(uint64 => bytes32)) public rootOf;

    event Anchored(bytes32 indexed origin, uint64 size, bytes32 root);

    function anchor(bytes32 origin, uint64 size, bytes32 root) external {
        require(msg.sender == keeper, "only the keeper of the log may anchor");
        require(size > sizeOf[origin], "not larger than what is anchored");
        require(root != 0, "no root");
        sizeOf[origin] = size;
        rootOf[origin][size] = root;
        emit Anchored(origin, size, root);
    }
}
