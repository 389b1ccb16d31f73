import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Settings } from './settings';
import { StartError } from './start-error';

/** Where root keeps what must outlive a checkout and be reached by another user. */
export const ROOT_STATE_DIRECTORY = '/var/lib/user-account-service';

/** Whether the process is root, as whom PostgreSQL refuses to run. */
export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/**
 * Directory of the embedded database and of the generated key: `DATA_DIR`, or `.data` in the
 * checkout, or, as root, one under `/var/lib` for each checkout: the database then runs as
 * another user, who may not be allowed to enter the checkout.
 */
export function dataDirectory(settings: Settings, checkout = process.cwd()): string {
  if (settings.DATA_DIR !== '') return resolve(checkout, settings.DATA_DIR);
  if (!isRoot()) return join(checkout, '.data');
  const digest = createHash('sha256').update(checkout).digest('hex').slice(0, 8);
  return join(ROOT_STATE_DIRECTORY, `${basename(checkout)}-${digest}`);
}

/**
 * Makes a directory, and those above it, that everyone may pass through: whatever the umask, as the
 * database of root runs as another user. What was there before keeps its mode.
 *
 * @throws StartError when it cannot be made, or cannot be passed through
 */
export function makeTraversableDirectory(path: string): void {
  try {
    if (isRoot()) assertTraversable(path);
    const first = mkdirSync(path, { recursive: true });
    if (first === undefined) return;
    for (let made = path; ; made = dirname(made)) {
      chmodSync(made, 0o711);
      if (made === first) return;
    }
  } catch (error) {
    if (error instanceof StartError) throw error;
    const { code = 'unknown error' } = error as NodeJS.ErrnoException;
    throw new StartError(`DATA_DIR ${path} cannot be made (${code}): choose another`, {
      cause: error,
    });
  }
}

function assertTraversable(directory: string): void {
  for (let path = directory; path !== dirname(path); path = dirname(path)) {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found !== undefined && (found.mode & 0o001) === 0) {
      throw new StartError(
        `DATA_DIR ${directory} cannot hold the embedded PostgreSQL: started by root it runs as user nobody, who may not enter ${path}. Choose another DATA_DIR, or start as an ordinary user`,
      );
    }
  }
}
