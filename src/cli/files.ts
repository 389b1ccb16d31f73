import { once } from 'node:events';
import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { link, rm } from 'node:fs/promises';
import type { Readable, Writable } from 'node:stream';
import { CommandError, EXIT } from './command-line';

/** A file to read. @throws CommandError when it cannot be */
export async function openFile(file: string): Promise<Readable> {
  const stream = createReadStream(file);
  await once(stream, 'open').catch((error: unknown) => {
    throw unusable(file, error);
  });
  return stream;
}

/**
 * Writes to standard output, or to a new file, which is there only once it is whole: until then it is
 * `FILE.part`, which stays when the process is stopped by a signal.
 */
export async function writeTo(
  file: string | undefined,
  write: (target: Writable) => Promise<void>,
): Promise<void> {
  if (file === undefined) {
    await write(process.stdout);
    return;
  }
  if (existsSync(file)) throw unusable(file, { code: 'EEXIST' });
  const part = `${file}.part`;
  const target = createWriteStream(part, { flags: 'wx', mode: 0o600 });
  await once(target, 'open').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw unusable(file, error);
    throw new CommandError(
      `${part} is there, of an export that was stopped or still runs: remove it, or choose another name`,
      EXIT.couldNotLook,
    );
  });
  try {
    await write(target);
    // Not renamed: a file that somebody has made meanwhile stays.
    await link(part, file).catch((error: unknown) => {
      throw unusable(file, error);
    });
  } finally {
    await rm(part, { force: true });
  }
}

/** What there is to say of a file, or of standard input. */
export function unusable(file: string, error: unknown): CommandError {
  const { code = '' } = error as NodeJS.ErrnoException;
  return new CommandError(
    code === 'EEXIST'
      ? 'The file is there already: choose another name'
      : `${file} cannot be read or written (${code})`,
    EXIT.couldNotLook,
  );
}
