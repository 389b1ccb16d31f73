import { randomBytes } from 'node:crypto';
import { decodeBase64, encodeBase64 } from 'bcryptjs';

/** What a stored hash says of itself. */
export interface HashFormat {
  readonly scheme: 'bcrypt' | 'bcrypt-sha256' | 'argon2id';
  /**
   * Everything that decides how long a verification takes, as it stands in the hash: the part
   * before salt and digest.
   */
  readonly settings: string;
  /** Work of one verification: log2 of bcrypt's rounds, or kibibytes times passes of argon2id. */
  readonly cost: number;
}

/** bcrypt looks at no more of a password than this. */
export const BCRYPT_MAX_BYTES = 72;

/** New hashes of argon2id: OWASP Password Storage Cheat Sheet; 19 MiB, two passes, one lane. */
export const ARGON2ID = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

/** Dearer than this, one verification would keep a thread for minutes; nobody makes such hashes. */
export const MAX_BCRYPT_COST = 20;
/** Least for argon2 itself, and most that a thread may take: 128 MiB, 32 passes, 16 lanes. */
const ARGON2_LIMITS = { m: [8, 131_072], t: [1, 32], p: [1, 16] } as const;

const SALT = '[./A-Za-z0-9]{22}';
const DIGEST = '[./A-Za-z0-9]{31}';
const BCRYPT = new RegExp(`^(\\$2[aby]\\$(\\d\\d)\\$)${SALT}${DIGEST}$`);
const BCRYPT_SHA256 = new RegExp(
  `^(\\$bcrypt-sha256\\$v=2,t=(2[aby]),r=(\\d{1,2})\\$)(${SALT})\\$(${DIGEST})$`,
);
const ARGON2ID_HASH =
  /^(\$argon2id\$v=19\$m=([1-9]\d{0,6}),t=([1-9]\d?),p=([1-9]\d?)\$)([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/;

/**
 * Reads a stored hash: modular crypt format of bcrypt, passlib's `bcrypt_sha256` version 2, and
 * the PHC format of argon2id.
 *
 * @returns undefined for what is none of these, or is out of bounds: nothing verifies against it
 */
export function parseHash(hash: string): HashFormat | undefined {
  const [, bcrypt, bcryptCost] = BCRYPT.exec(hash) ?? [];
  if (bcrypt !== undefined) return bcryptFormat('bcrypt', bcrypt, Number(bcryptCost));
  const [, sha256, , sha256Cost] = BCRYPT_SHA256.exec(hash) ?? [];
  if (sha256 !== undefined) return bcryptFormat('bcrypt-sha256', sha256, Number(sha256Cost));
  const [, argon2id, m, t, p, salt = '', digest = ''] = ARGON2ID_HASH.exec(hash) ?? [];
  if (argon2id === undefined || !within({ m: Number(m), t: Number(t), p: Number(p) })) {
    return undefined;
  }
  if (!isBase64(salt) || !isBase64(digest)) return undefined;
  return { scheme: 'argon2id', settings: argon2id, cost: Number(m) * Number(t) };
}

/**
 * The hash that bcrypt itself made, as every implementation writes it: of `$2y$`, `$2b$`, which is
 * the same; without the bits that pad salt and digest to whole characters, which some have set.
 *
 * @param hash `bcrypt`, or passlib's `bcrypt_sha256`
 * @returns for the latter, the salt that keys the digest of the password as well
 */
export function bcryptInside(hash: string): { bcrypt: string; keyedWith?: string } {
  const [, , type = '', cost = '', salt = '', digest = ''] = BCRYPT_SHA256.exec(hash) ?? [];
  if (salt !== '') {
    const keyedWith = withoutPadding(salt, 16);
    return {
      bcrypt: `${bcryptSettings(Number(cost), type)}${keyedWith}${withoutPadding(digest, 23)}`,
      keyedWith,
    };
  }
  return {
    bcrypt:
      `${hash.slice(0, 7)}${withoutPadding(hash.slice(7, 29), 16)}${withoutPadding(hash.slice(29), 23)}`.replace(
        /^\$2y/,
        '$2b',
      ),
  };
}

/** @param bytes that the text, in bcrypt's base64, stands for */
function withoutPadding(text: string, bytes: number): string {
  return encodeBase64(decodeBase64(text, bytes), bytes);
}

/** Whether a text is base64 without `=`, and no bit in it is set that stands for nothing. */
function isBase64(text: string): boolean {
  return Buffer.from(text, 'base64').toString('base64').replace(/=+$/, '') === text;
}

function bcryptFormat(
  scheme: HashFormat['scheme'],
  settings: string,
  cost: number,
): HashFormat | undefined {
  return cost >= 4 && cost <= MAX_BCRYPT_COST ? { scheme, settings, cost } : undefined;
}

function within(values: Readonly<Record<keyof typeof ARGON2_LIMITS, number>>): boolean {
  // RFC 9106 §3.1: at least eight blocks of memory for each lane.
  return (
    values.m >= 8 * values.p &&
    (['m', 't', 'p'] as const).every((name) => {
      const [least, most] = ARGON2_LIMITS[name];
      return values[name] >= least && values[name] <= most;
    })
  );
}

/**
 * A well-formed hash with these settings that no password makes: verifying against it takes as
 * long as against a real one.
 */
export function decoyHash(settings: string): string {
  if (settings.startsWith('$argon2id$')) {
    const base64 = (bytes: number): string =>
      randomBytes(bytes).toString('base64').replace(/=+$/, '');
    return `${settings}${base64(16)}$${base64(32)}`;
  }
  const separator = settings.startsWith('$bcrypt-sha256$') ? '$' : '';
  return `${settings}${encodeBase64(randomBytes(16), 16)}${separator}${encodeBase64(randomBytes(23), 23)}`;
}

/** Settings of a bcrypt hash of this cost, by default as new ones have them. */
export function bcryptSettings(cost: number, type = '2b'): string {
  return `$${type === '2y' ? '2b' : type}$${String(cost).padStart(2, '0')}$`;
}

/** Settings of new argon2id hashes. */
export const ARGON2ID_SETTINGS = `$argon2id$v=19$m=${String(ARGON2ID.memoryCost)},t=${String(ARGON2ID.timeCost)},p=${String(ARGON2ID.parallelism)}$`;
