// Builds the query page into dist/, which the Go package beside this file embeds:
// dist/index.html, the files that it names under dist/assets/ (their names hold a
// hash of their content; packed by gzip, the one form that is kept of each), and
// the licences of everything that is in them. The same sources give the same bytes.
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, "dist");

// GraphiQL's style sheet brings two families of fonts, 0.3 MB of it. The page is
// set in the fonts that a machine has.
const noFonts = {
  name: "no fonts",
  setup(b) {
    b.onLoad({ filter: /graphiql[\\/]dist[\\/]style\.css$/ }, async ({ path }) => ({
      contents: (await readFile(path, "utf8")).replace(/@font-face\s*\{[^}]*\}/g, ""),
      loader: "css",
    }));
  },
};

const { outputFiles, metafile } = await build({
  absWorkingDir: here,
  entryPoints: { graphiql: "src/main.jsx" },
  outdir: "dist/assets",
  entryNames: "[name]-[hash]",
  bundle: true,
  minify: true,
  write: false,
  metafile: true,
  format: "iife",
  target: ["chrome111", "firefox115", "safari16.4"],
  jsx: "automatic",
  legalComments: "none", // the licences as a whole are a file of their own
  define: { "process.env.NODE_ENV": '"production"' },
  loader: { ".graphql": "text" },
  alias: { "react-remove-scroll": "./src/scroll.jsx" },
  plugins: [noFonts],
});

for (const name of await readdir(dist)) {
  if (name !== "README.md") await rm(join(dist, name), { recursive: true });
}
await mkdir(join(dist, "assets"), { recursive: true });

const named = {};
for (const file of outputFiles) {
  const name = relative(join(dist, "assets"), file.path);
  named[name.endsWith(".css") ? "STYLE" : "SCRIPT"] = await keep(name, file.contents);
}
const licences = Buffer.from(await collect(Object.keys(metafile.inputs)));
const hash = createHash("sha256").update(licences).digest("hex").slice(0, 8).toUpperCase();
named.LICENCES = await keep(`licences-${hash}.txt`, licences);

let page = await readFile(join(here, "src/index.html"), "utf8");
for (const [mark, name] of Object.entries(named)) page = page.replaceAll(`%${mark}%`, `assets/${name}`);
await writeFile(join(dist, "index.html"), page);

// keep writes a file in its packed form and returns its name.
async function keep(name, contents) {
  const packed = gzipSync(contents, { level: 9 });
  packed[9] = 255; // no operating system: the bytes are the same on all
  await writeFile(join(dist, "assets", `${name}.gz`), packed);
  console.log(`${name}  ${(contents.length / 1024).toFixed(0)} KiB, packed ${(packed.length / 1024).toFixed(0)} KiB`);
  return name;
}

// collect returns the licences of the packages that the bundle has something of.
async function collect(inputs) {
  const folders = new Set();
  for (const input of inputs) {
    const found = input.match(/^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//);
    if (found) folders.add(found[1]);
  }
  const parts = [];
  for (const folder of [...folders].sort()) {
    const about = JSON.parse(await readFile(join(here, folder, "package.json"), "utf8"));
    const file = (await readdir(join(here, folder))).find((name) => /^licen[cs]e(\.(md|txt))?$/i.test(name));
    const author = typeof about.author === "string" ? about.author : about.author?.name;
    const terms = file
      ? (await readFile(join(here, folder, file), "utf8")).trim()
      : `${about.license}${author ? `, by ${author}` : ""}. The package has no text of it.`;
    if (!about.license && !file) throw new Error(`${folder}: no licence is known`);
    parts.push(`${about.name} ${about.version} (${about.license})\n\n${terms}\n`);
  }
  return `GraphiQL as Wattgate serves it is put together from these packages.\n\n${parts.join(`\n${"-".repeat(72)}\n\n`)}`;
}
