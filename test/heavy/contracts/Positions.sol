// SPDX-License-Identifier: UNLICENSED
pragma solidity ^0.8.20;

import {Dollar, Onramp} from "./Money.sol";

/// Outcome shares of many conditions: what a conditional token contract keeps.
contract Shares {
    mapping(address => mapping(uint256 => uint256)) public balanceOf;
    mapping(address => mapping(address => bool)) public isApprovedForAll;
    mapping(address => bool) public keepers;
    /// Payout of each outcome, in parts of `payoutSum`.
    mapping(bytes32 => uint256[2]) public payouts;
    mapping(bytes32 => uint256) public payoutSum;

    constructor() {
        keepers[msg.sender] = true;
    }

    modifier onlyKeeper() {
        require(keepers[msg.sender], "not a keeper");
        _;
    }

    function allow(address keeper) external onlyKeeper {
        keepers[keeper] = true;
    }

    function setApprovalForAll(address operator, bool approved) external {
        isApprovedForAll[msg.sender][operator] = approved;
    }

    function idOf(bytes32 conditionId, uint256 outcome) public pure returns (uint256) {
        return uint256(keccak256(abi.encode(conditionId, outcome)));
    }

    function mint(address to, uint256 id, uint256 amount) external onlyKeeper {
        balanceOf[to][id] += amount;
    }

    /// A keeper takes shares only from somebody who approved it.
    function take(address from, uint256 id, uint256 amount) external onlyKeeper {
        require(isApprovedForAll[from][msg.sender], "operator not approved");
        require(balanceOf[from][id] >= amount, "shares too few");
        balanceOf[from][id] -= amount;
    }

    function report(bytes32 conditionId, uint256 first, uint256 second) external onlyKeeper {
        payouts[conditionId] = [first, second];
        payoutSum[conditionId] = first + second;
    }

    function payoutOf(bytes32 conditionId, uint256 outcome, uint256 amount) external view returns (uint256) {
        require(payoutSum[conditionId] > 0, "result not received yet");
        return amount * payouts[conditionId][outcome] / payoutSum[conditionId];
    }
}

/// Split, merge and redeem in collateral, with the shapes of the conditional token contract.
contract CollateralAdapter {
    Shares public immutable shares;
    Dollar public immutable collateral;
    Onramp public immutable onramp;

    constructor(Shares shares_, Dollar collateral_, Onramp onramp_) {
        shares = shares_;
        collateral = collateral_;
        onramp = onramp_;
    }

    function check(address token, bytes32 parent, uint256[] calldata sets) private view {
        require(token == address(collateral), "wrong collateral");
        require(parent == bytes32(0), "no parent expected");
        require(sets.length == 2 && sets[0] == 1 && sets[1] == 2, "wrong partition");
    }

    function splitPosition(address token, bytes32 parent, bytes32 condition, uint256[] calldata sets, uint256 amount) external {
        check(token, parent, sets);
        collateral.transferFrom(msg.sender, address(this), amount);
        onramp.unwrap(address(this), address(this), amount);
        for (uint256 i = 0; i < 2; i++) shares.mint(msg.sender, shares.idOf(condition, i), amount);
    }

    function mergePositions(address token, bytes32 parent, bytes32 condition, uint256[] calldata sets, uint256 amount) external {
        check(token, parent, sets);
        for (uint256 i = 0; i < 2; i++) shares.take(msg.sender, shares.idOf(condition, i), amount);
        pay(msg.sender, amount);
    }

    /// Takes everything that the caller holds of the condition.
    function redeemPositions(address token, bytes32 parent, bytes32 condition, uint256[] calldata sets) external {
        check(token, parent, sets);
        uint256 paid = 0;
        for (uint256 i = 0; i < 2; i++) {
            uint256 id = shares.idOf(condition, i);
            uint256 held = shares.balanceOf(msg.sender, id);
            shares.take(msg.sender, id, held);
            paid += shares.payoutOf(condition, i, held);
        }
        pay(msg.sender, paid);
    }

    function pay(address to, uint256 amount) internal {
        onramp.asset().approve(address(onramp), amount);
        onramp.wrap(address(onramp.asset()), to, amount);
    }
}

/// Fee and question count of neg-risk markets.
contract NegRiskRegistry {
    mapping(bytes32 => uint256) public getFeeBips;
    mapping(bytes32 => uint256) public getQuestionCount;

    function set(bytes32 marketId, uint256 feeBips, uint256 questions) external {
        getFeeBips[marketId] = feeBips;
        getQuestionCount[marketId] = questions;
    }
}

/// Also converts: NO of the named questions into YES of the others and dollars.
contract NegRiskCollateralAdapter is CollateralAdapter {
    NegRiskRegistry public immutable registry;

    constructor(Shares shares_, Dollar collateral_, Onramp onramp_, NegRiskRegistry registry_)
        CollateralAdapter(shares_, collateral_, onramp_)
    {
        registry = registry_;
    }

    function conditionOf(bytes32 marketId, uint256 index) public pure returns (bytes32) {
        return keccak256(abi.encode(uint256(marketId) + index));
    }

    function convertPositions(bytes32 marketId, uint256 indexSet, uint256 amount) external {
        uint256 count = registry.getQuestionCount(marketId);
        require(indexSet > 0 && indexSet < (1 << count), "wrong index set");
        uint256 out = amount - amount * registry.getFeeBips(marketId) / 10000;
        uint256 given = 0;
        for (uint256 i = 0; i < count; i++) {
            bytes32 condition = conditionOf(marketId, i);
            if (indexSet & (1 << i) > 0) {
                given++;
                shares.take(msg.sender, shares.idOf(condition, 1), amount);
            } else {
                shares.mint(msg.sender, shares.idOf(condition, 0), out);
            }
        }
        if (given > 1) pay(msg.sender, (given - 1) * out);
    }
}

/// Version "v2": one router, one outcome and an amount a redemption.
contract Router {
    Shares public immutable shares;
    Dollar public immutable collateral;

    constructor(Shares shares_, Dollar collateral_) {
        shares = shares_;
        collateral = collateral_;
    }

    function idOf(bytes31 condition, uint256 outcome) public pure returns (uint256) {
        return (uint256(uint248(condition)) << 8) | outcome;
    }

    function split(bytes31 condition, uint256 amount) external {
        collateral.transferFrom(msg.sender, address(this), amount);
        for (uint256 i = 0; i < 2; i++) shares.mint(msg.sender, idOf(condition, i), amount);
    }

    function merge(bytes31 condition, uint256 amount) external {
        for (uint256 i = 0; i < 2; i++) shares.take(msg.sender, idOf(condition, i), amount);
        collateral.transfer(msg.sender, amount);
    }

    function redeem(bytes31 condition, uint256 outcome, uint256 amount) external {
        shares.take(msg.sender, idOf(condition, outcome), amount);
        collateral.transfer(msg.sender, shares.payoutOf(bytes32(condition), outcome, amount));
    }
}
