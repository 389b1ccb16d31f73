// Builds the page, unless nothing that it is made of is newer than the last build: `npm start` asks
// for it each time.
import { execFileSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const here = import.meta.dirname;
const sources = [
  'src',
  'public',
  'index.html',
  'openapi.json',
  'package.json',
  'tsconfig.json',
  'vite.config.ts',
];

function newest(path) {
  const { mtimeMs } = statSync(path);
  const inside = statSync(path).isDirectory() ? readdirSync(path) : [];
  return Math.max(mtimeMs, ...inside.map((name) => newest(join(path, name))));
}

function builtAt() {
  return statSync(join(here, 'dist/index.html'), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

const changed = [...sources.map((name) => join(here, name)), join(here, '../package-lock.json')];
if (Math.max(...changed.map(newest)) > builtAt()) {
  execFileSync('npm', ['run', '--silent', 'build'], { cwd: here, stdio: 'inherit' });
}
