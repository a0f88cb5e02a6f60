// SPDX-License-Identifier: UNLICENSED
pragma solidity ^0.8.20;

/// A dollar token with 6 decimals, minted by whoever deployed it or is named.
contract Dollar {
    uint8 public constant decimals = 6;
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;
    mapping(address => bool) public minters;

    constructor() {
        minters[msg.sender] = true;
    }

    function allow(address minter) external {
        require(minters[msg.sender], "not a minter");
        minters[minter] = true;
    }

    function mint(address to, uint256 amount) external {
        require(minters[msg.sender], "not a minter");
        balanceOf[to] += amount;
    }

    function burn(address from, uint256 amount) external {
        require(minters[msg.sender], "not a minter");
        balanceOf[from] -= amount;
    }

    function approve(address spender, uint256 amount) external returns (bool) {
        allowance[msg.sender][spender] = amount;
        return true;
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        balanceOf[msg.sender] -= amount;
        balanceOf[to] += amount;
        return true;
    }

    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        require(allowance[from][msg.sender] >= amount, "allowance too small");
        require(balanceOf[from] >= amount, "balance too small");
        allowance[from][msg.sender] -= amount;
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
        return true;
    }
}

/// Turns bridged dollars into collateral, one for one, and back for the adapters.
contract Onramp {
    Dollar public immutable asset;
    Dollar public immutable collateral;

    constructor(Dollar asset_, Dollar collateral_) {
        asset = asset_;
        collateral = collateral_;
    }

    function wrap(address asset_, address to, uint256 amount) external {
        require(asset_ == address(asset), "wrong asset");
        asset.transferFrom(msg.sender, address(this), amount);
        collateral.mint(to, amount);
    }

    function unwrap(address from, address to, uint256 amount) external {
        require(collateral.minters(msg.sender), "not an adapter");
        collateral.burn(from, amount);
        asset.transfer(to, amount);
    }
}

/// What a venue's exchange does with approvals: spends no more than it was given.
contract ExchangeStandIn {
    function spend(Dollar dollar, address from, uint256 amount) external {
        dollar.transferFrom(from, address(this), amount);
    }
}
