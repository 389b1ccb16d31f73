// Puts the data of another version of Unicode into confusables.ts:
// node src/user/generate-confusables.mjs confusables.txt
// The file is https://www.unicode.org/Public/security/latest/confusables.txt; ICU's sources and
// those of its Debian package have it too, as source/data/unidata/confusables.txt.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { argv } from 'node:process';

const text = readFileSync(argv[2], 'utf8');
const [, version] = /^# Version: (\S+)/m.exec(text);

const byPrototype = new Map();
for (const [, source, prototype] of text.matchAll(/^([0-9A-F]+) ;\t([0-9A-F ]+) ;/gm)) {
  const character = String.fromCodePoint(parseInt(source, 16));
  // What a normal form does not leave is never looked up.
  if (character.normalize('NFD') !== character) continue;
  const key = prototype.toLowerCase().replaceAll(' ', '+');
  byPrototype.set(key, [...(byPrototype.get(key) ?? []), source.toLowerCase()]);
}
const lines = [...byPrototype].map((line) => line.flat().join(' '));

const target = join(import.meta.dirname, 'confusables.ts');
writeFileSync(
  target,
  readFileSync(target, 'utf8')
    .replace(/Version \d+(\.\d+)*/, `Version ${version}`)
    .replace(/`[^`]*`;/, `\`\n${lines.join('\n')}\n\`;`),
);
