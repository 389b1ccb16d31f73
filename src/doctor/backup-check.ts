import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, constants } from 'node:zlib';
import { reasonOf } from '../logging/safe-error';
import { advice, type Check, type Finding, ok, problem } from './check';

const HOUR_MS = 60 * 60 * 1000;
/** A day, and the time that a backup may take. */
const ADVICE_HOURS = 26;
const PROBLEM_HOURS = 7 * 24;
/** An empty database makes more than this. */
const LEAST_BYTES = 1000;
/** What is looked at of its beginning and of its end. */
const LOOKED_AT_BYTES = 4096;

/** What lies beside backups: hidden files, digests, signatures, logs. */
const BESIDE = /^\.|\.(sha\d+|md5|sig|asc|log|txt)$/;

/** A file, or the file that says what a directory of pg_dump holds. */
interface Backup {
  readonly path: string;
  readonly bytes: number;
  readonly hours: number;
}

/** How old the newest backup is. @param path of it, or of where it is; undefined when nobody has said */
export function backupCheck(path: string | undefined): Check {
  return {
    name: 'backup',
    look: () =>
      path === undefined
        ? advice(
            'Not looked at: nobody has said where backups are',
            'Add --backup and the file, or the directory that they are in',
          )
        : backupFindings(path).catch((error: unknown) => unreadable(path, error)),
  };
}

function unreadable(path: string, error: unknown): Finding {
  return (error as NodeJS.ErrnoException).code === 'EACCES'
    ? problem(
        `The user that the doctor runs as may not read what is in ${path}`,
        'Run it as one who may, or give its user a group that may: without that, nobody knows how old they are',
      )
    : problem(
        `${path} cannot be read (${reasonOf(error)})`,
        'Look whether the path is right, and whether whoever makes backups still does',
      );
}

async function backupFindings(path: string): Promise<Finding[]> {
  const newest = await newestBackup(path);
  if (newest === undefined) {
    return [
      problem(
        `There is no backup in ${path}`,
        'Make one every day: see docs/operations.md, Back up',
      ),
    ];
  }
  const { path: file, bytes, hours } = newest;
  const age =
    hours < 48 ? `${String(Math.floor(hours))} hours` : `${String(Math.floor(hours / 24))} days`;
  if (bytes < LEAST_BYTES) {
    return [
      problem(
        `The newest backup, ${file}, has ${String(bytes)} bytes: there is nothing in it`,
        'Look at the log of whatever makes it: a pg_dump that fails leaves a file too',
      ),
    ];
  }
  const findings = [await contentFinding(newest)].filter(({ status }) => status !== 'ok');
  const found = `The newest backup, ${file}, is ${age} old`;
  const todo =
    'Look at the log of whatever makes backups; until then make one by hand: see docs/operations.md, Back up';
  if (hours > PROBLEM_HOURS) findings.push(problem(found, todo));
  else if (hours > ADVICE_HOURS) findings.push(advice(found, todo));
  return findings.length > 0
    ? findings
    : [ok(`${found}, ${String(Math.ceil(bytes / 1024))} kB. Only a restore shows that it is good`)];
}

async function newestBackup(path: string): Promise<Backup | undefined> {
  const here = await backupAt(path);
  if (here !== undefined) return here;
  const names = (await readdir(path)).filter((name) => !BESIDE.test(name));
  const all = await Promise.all(names.map((name) => backupAt(join(path, name)).catch(unlessGone)));
  return all
    .filter((one) => one !== undefined)
    .sort((a, b) => a.hours - b.hours)
    .at(0);
}

/** What is deleted meanwhile, or leads nowhere, is none. */
function unlessGone(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
}

/** A file, or a directory that pg_dump has written; undefined for another. */
async function backupAt(path: string): Promise<Backup | undefined> {
  const found = await stat(path);
  if (found.isDirectory()) {
    const contents = join(path, 'toc.dat');
    const names = await readdir(path);
    return names.includes('toc.dat') ? backupAt(contents) : undefined;
  }
  return { path, bytes: found.size, hours: (Date.now() - found.mtimeMs) / HOUR_MS };
}

/** Whether it looks like what pg_dump writes, and is whole where that can be seen. */
async function contentFinding({ path, bytes }: Backup): Promise<Finding> {
  const file = await open(path);
  try {
    const read = async (from: number): Promise<Buffer> => {
      const { buffer, bytesRead } = await file.read(
        Buffer.alloc(LOOKED_AT_BYTES),
        0,
        LOOKED_AT_BYTES,
        from,
      );
      return buffer.subarray(0, bytesRead);
    };
    const start = await read(0);
    const isGzip = start[0] === 0x1f && start[1] === 0x8b;
    const text = (isGzip ? beginningOfGzip(start) : start).toString('latin1');
    if (text.startsWith('PGDMP') || text.startsWith('toc.dat\0'))
      return ok('An archive of pg_dump');
    if (!/^-- PostgreSQL database (cluster )?dump$/m.test(text)) {
      return advice(
        `The newest backup, ${path}, is nothing that pg_dump writes, or it is encrypted`,
        'Look whether it is the right file; restore it somewhere to be sure',
      );
    }
    const end = (await read(Math.max(0, bytes - LOOKED_AT_BYTES))).toString('latin1');
    return isGzip || /^-- PostgreSQL database (cluster )?dump complete$/m.test(end)
      ? ok('SQL of pg_dump')
      : problem(
          `The newest backup, ${path}, is cut off: its end is missing`,
          'Look at the log of whatever makes it, and whether its disk is full; make another',
        );
  } finally {
    await file.close();
  }
}

function beginningOfGzip(bytes: Buffer): Buffer {
  return gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH });
}
