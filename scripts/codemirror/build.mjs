// Bundle CodeMirror for the tour: `npm ci --ignore-scripts && node build.mjs [FOLDER]`.
//
// Writes into FOLDER, by default course/tour/static/vendor:
//   codemirror.js              one ES module, minified
//   codemirror.LICENSES.txt    the licence of each package in it
//   build.json                 the version of each package, and the SHA-256 of the two files
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const folder = process.argv[2] ?? join(here, "..", "..", "course", "tour", "static", "vendor");

const result = await build({
  absWorkingDir: here,
  entryPoints: ["entry.js"],
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
  metafile: true,
  write: false,
  banner: { js: "/* CodeMirror 6, MIT licence: see codemirror.LICENSES.txt. Made by scripts/codemirror. */" },
});

/** The names of the packages whose files are in the bundle, sorted. */
const names = [...new Set(Object.keys(result.metafile.inputs).flatMap((input) => {
  const found = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input);
  return found ? [found[1]] : [];
}))].sort();

const versions = {};
const licences = [];
for (const name of names) {
  const place = join(here, "node_modules", name);
  const { version } = JSON.parse(readFileSync(join(place, "package.json"), "utf8"));
  versions[name] = version;
  licences.push(`${name} ${version}\n\n${readFileSync(join(place, "LICENSE"), "utf8").trim()}\n`);
}

const files = {
  "codemirror.js": result.outputFiles[0].text,
  "codemirror.LICENSES.txt": licences.join(`\n${"-".repeat(78)}\n\n`),
};
const { version: esbuild } = JSON.parse(readFileSync(join(here, "node_modules", "esbuild", "package.json"), "utf8"));
const sha256 = {};
mkdirSync(folder, { recursive: true });
for (const [name, text] of Object.entries(files)) {
  writeFileSync(join(folder, name), text);
  sha256[name] = createHash("sha256").update(text).digest("hex");
}
writeFileSync(join(folder, "build.json"), `${JSON.stringify({ esbuild, packages: versions, sha256 }, null, 2)}\n`);
