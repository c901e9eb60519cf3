// SPDX-License-Identifier: Apache-2.0
// Compiles the contracts beside this file and writes contracts.json, or compares with it.
//
//     npm install --prefix build/solc solc@0.8.37
//     NODE_PATH=build/solc/node_modules node share/contracts/compile.mjs [--check]
//
// The same sources, version and settings give the same bytes on any machine: no path and no metadata
// is in them. --check exits with 1 and the names of what differs.
import { createRequire } from "node:module";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const artefact = join(here, "contracts.json");
const solc = createRequire(import.meta.url)(process.env.SOLC || "solc");
const want = "0.8.37";
if (!solc.version().startsWith(want + "+")) {
    console.error(`solc ${solc.version()} is here, expected ${want}`);
    process.exit(2);
}

// The rules of "paris" hold on every chain since 2022, and on most others.
const settings = {
    optimizer: { enabled: true, runs: 200 },
    evmVersion: "paris",
    metadata: { appendCBOR: false, bytecodeHash: "none" },
    outputSelection: { "*": { "*": ["abi", "evm.bytecode.object"] } },
};
const names = readdirSync(here).filter((f) => f.endsWith(".sol")).sort();
const sources = Object.fromEntries(
    names.map((f) => [f, { content: readFileSync(join(here, f), "utf8") }]));
const out = JSON.parse(solc.compile(JSON.stringify({ language: "Solidity", sources, settings })));
for (const e of out.errors || []) console.error(e.formattedMessage);
if ((out.errors || []).length) process.exit(1);

const contracts = {};
for (const f of names) {
    const name = f.replace(".sol", "");
    const c = out.contracts[f][name];
    contracts[name] = { abi: c.abi, bytecode: "0x" + c.evm.bytecode.object };
}
delete settings.outputSelection;
// One line a member of an interface, so that changes can be read.
const lines = Object.entries(contracts).map(([name, c]) =>
    `  ${JSON.stringify(name)}: {\n   "abi": [\n` +
    c.abi.map((m) => "    " + JSON.stringify(m)).join(",\n") +
    `\n   ],\n   "bytecode": ${JSON.stringify(c.bytecode)}\n  }`);
const text = `{\n "solc": ${JSON.stringify(solc.version())},\n` +
    ` "settings": ${JSON.stringify(settings)},\n "contracts": {\n${lines.join(",\n")}\n }\n}\n`;
if (process.argv[2] === "--check") {
    const old = JSON.parse(readFileSync(artefact, "utf8"));
    const bad = Object.keys(contracts)
        .filter((n) => JSON.stringify(old.contracts[n]) !== JSON.stringify(contracts[n]));
    if (readFileSync(artefact, "utf8") !== text) {
        console.error(`contracts.json is not what solc makes of the sources: ${bad.join(" ") || "settings"}`);
        process.exit(1);
    }
    console.log(`contracts.json is what solc ${solc.version()} makes of ${names.length} sources`);
} else {
    writeFileSync(artefact, text);
}
