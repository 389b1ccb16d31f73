import { createSecretKey, randomBytes, type KeyObject } from 'node:crypto';
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dataDirectory, makeTraversableDirectory } from './data-directory';
import { SettingsError, type Settings } from './settings';

/** RFC 7518 §3.2: a key of HS256 has at least the size of its hash output. */
const MIN_KEY_BYTES = 32;
/** A previous key only has to be as strong as what is still out there. */
const MIN_PREVIOUS_KEY_BYTES = 16;
const MIN_DISTINCT_CHARACTERS = 8;

/** Keys that stand in tutorials and templates, so that everyone has them. */
const PUBLIC_KEYS = new RegExp(
  [
    'change[\\W_]*(me|this)',
    'placeholder',
    'your[\\W_]',
    '(my|super|top|a-string)[\\W_]*secret',
    '(^|[\\W_])secret([\\W_]|$)',
    '(example|signing|private)[\\W_]*key',
    'jwt[\\W_]',
    'qwerty',
    'password',
    '0123456789abcdef0123',
  ].join('|'),
  'i',
);
/** FastAPI's tutorial on OAuth2 with JWT; old and new edition. */
const FASTAPI_TUTORIAL_KEY = '09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7';

/** The keys of this process. */
export class SigningKeys {
  /**
   * @param current signs and verifies
   * @param previous verifies only, during a rotation
   * @param warning what the operator should know at each start
   */
  constructor(
    readonly current: KeyObject,
    readonly previous?: KeyObject,
    readonly warning?: string,
  ) {}
}

/**
 * The keys of HS256, each made once: a text costs jsonwebtoken 25 times as much a verification.
 * With the embedded database and no `SECRET_KEY`, one is made and kept in the data directory.
 *
 * @throws SettingsError when a key is missing, short, or one that everybody knows
 */
export function signingKeys(settings: Settings): SigningKeys {
  const secret =
    settings.SECRET_KEY === '' && settings.embedded
      ? generatedSecret(dataDirectory(settings))
      : settings.SECRET_KEY;
  const problems: string[] = [];
  const weakness = weaknessOf(secret);
  const hint = 'make one with: openssl rand -hex 32';
  if (secret === '') {
    problems.push(`SECRET_KEY is missing: it signs the tokens; ${hint}`);
  } else if (weakness !== undefined && !settings.ALLOW_WEAK_SECRET_KEY) {
    problems.push(
      `SECRET_KEY ${weakness}; ${hint} (to take over a running system with the key it has, set ALLOW_WEAK_SECRET_KEY=true)`,
    );
  }
  const previous = settings.SECRET_KEY_PREVIOUS;
  if (previous !== '' && Buffer.byteLength(previous) < MIN_PREVIOUS_KEY_BYTES) {
    problems.push(`SECRET_KEY_PREVIOUS must have at least ${String(MIN_PREVIOUS_KEY_BYTES)} bytes`);
  }
  if (problems.length > 0) throw new SettingsError(problems);
  return new SigningKeys(
    keyOf(secret),
    previous === '' ? undefined : keyOf(previous),
    weakness && `SECRET_KEY ${weakness}: anyone who guesses it can be anyone; rotate it soon`,
  );
}

/** A key as `node:crypto` takes it. */
export function keyOf(secret: string): KeyObject {
  return createSecretKey(secret, 'utf8');
}

/** What is wrong with a key that signs, if anything is. */
export function weaknessOf(secret: string): string | undefined {
  if (Buffer.byteLength(secret) < MIN_KEY_BYTES) {
    return `must have at least ${String(MIN_KEY_BYTES)} bytes`;
  }
  if (
    new Set(secret).size < MIN_DISTINCT_CHARACTERS ||
    PUBLIC_KEYS.test(secret) ||
    secret.toLowerCase() === FASTAPI_TUTORIAL_KEY
  ) {
    return 'must be a secret of your own, not a placeholder or a published one';
  }
  return undefined;
}

/** Reads the key of this data directory, making it first if there is none. */
function generatedSecret(directory: string): string {
  const path = join(directory, 'secret-key');
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  makeTraversableDirectory(directory);
  // Written whole under another name and then linked: of two processes that start at once, both
  // end up with the key of the one that came first.
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  writeFileSync(draft, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600, flag: 'wx' });
  try {
    linkSync(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  return readFileSync(path, 'utf8').trim();
}
