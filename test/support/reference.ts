import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { TestDatabase } from './database';
import { listening, type RunningService, spawnServer, TEST_SECRET_KEY } from './service';

/** Its answers were recorded with pydantic 1, whose words pydantic 2 does not use. */
const IMPORTS = `
import bcrypt, email_validator, fastapi, jose, multipart, passlib, psycopg2, sqlalchemy, uvicorn
import pydantic
assert pydantic.VERSION.startswith('1.'), 'pydantic is ' + pydantic.VERSION
`;

/** Tests that need the reference; where nothing runs it, one that is skipped and says why. */
export function describeWithReference(name: string, tests: (python: string) => void): void {
  const found = findPython();
  if ('python' in found) {
    describe(name, () => {
      tests(found.python);
    });
  } else {
    // Jest alone would only count it.
    process.stderr.write(`skipped: ${name}: nothing here runs it (${found.missing})\n`);
    it.skip(name, () => undefined);
  }
}

/** A Python that runs the reference: the one in the path, or Debian's, or none and why. */
function findPython(): { python: string } | { missing: string } {
  let missing = '';
  for (const python of ['python3', '/usr/bin/python3']) {
    const { status, error, stderr } = spawnSync(python, ['-c', IMPORTS], { encoding: 'utf8' });
    if (status === 0) return { python };
    missing = error?.message ?? stderr.trim().split('\n').at(-1) ?? '';
  }
  return { missing };
}

/** Starts the reference on a database, whose table it makes where there is none, as `create_all` does. */
export function startReference(python: string, database: TestDatabase): Promise<RunningService> {
  const directory = join(__dirname, '../takeover/reference');
  return listening(
    spawnServer(
      python,
      ['-B', '-m', 'uvicorn', 'main:app', '--app-dir', directory, '--port', '0'],
      {
        ...database.environment,
        SECRET_KEY: TEST_SECRET_KEY,
        BCRYPT_ROUNDS: '4',
      },
    ),
    /Uvicorn running on (http:\/\/127\.0\.0\.1:\d+)/,
  );
}
