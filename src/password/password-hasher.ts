import { createHmac, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Settings } from '../config/settings';
import { SigningKeys } from '../config/signing-keys';
import {
  ARGON2ID,
  ARGON2ID_SETTINGS,
  BCRYPT_MAX_BYTES,
  bcryptSettings,
  decoyHash,
  parseHash,
} from './hash-format';
import { HashQueue, type RunHash } from './hash-queue';

/** Dearest hashes that are taken from elsewhere: a few logins with dearer ones would keep everybody out. */
const MAX_IMPORTED_BCRYPT_COST = 15;
const MAX_IMPORTED_ARGON2ID_COST = 2 ** 20;

/** How many stored hashes have the same settings (`HashFormat.settings`). */
export type HashCensus = ReadonlyMap<string, number>;

/**
 * Hashes and verifies passwords, in the manner of passlib's CryptContext: knows several schemes,
 * makes new hashes with one of them, and says which old ones should be made anew.
 */
@Injectable()
export class PasswordHasher {
  private readonly decoyKey: KeyObject;
  private readonly decoys = new Map<string, string>();
  private census: HashCensus = new Map();

  constructor(
    private readonly queue: HashQueue,
    private readonly settings: Settings,
    keys: SigningKeys,
  ) {
    const key = hkdfSync('sha256', keys.current, '', 'decoy hashes', 32);
    this.decoyKey = createSecretKey(Buffer.from(key));
  }

  /** Whoever hashes or verifies has a place in the queue first; see `HashQueue.reserve`. */
  reserve<T>(client: AbortSignal | undefined, work: (run: RunHash) => Promise<T>): Promise<T> {
    return this.queue.reserve(client, work);
  }

  /**
   * A hash of a new password by the scheme of the settings: in NFC, or as it was typed if the
   * FastAPI backend is to verify it, which knows no other form.
   */
  async hash(run: RunHash, typed: string): Promise<string> {
    const { PASSWORD_SCHEME: scheme, BCRYPT_COST: cost, COEXIST_WITH_FASTAPI: raw } = this.settings;
    const password = raw ? typed : typed.normalize('NFC');
    const result = await run(
      scheme === 'argon2id'
        ? { name: 'hash', scheme, password }
        : { name: 'hash', scheme, password, cost },
    );
    return String(result);
  }

  /**
   * Whether a stored hash was made of this password: in NFC, or else as it was typed, which is how
   * imported hashes were made.
   *
   * Where there is no hash, or none that anything verifies against, the answer is no after the
   * same work: nobody can tell by the time who has an account here.
   *
   * @param username whose hash it is, or would be
   * @returns the form of the password that matched
   */
  async verify(
    run: RunHash,
    password: string,
    username: string,
    stored: string | undefined,
  ): Promise<string | undefined> {
    // Made for a name that has a hash as well: also a microsecond tells, to whoever asks often.
    const decoy = this.decoyFor(username);
    const usable = stored !== undefined && this.isVerifiable(stored);
    const hash = usable ? stored : decoy;
    for (const form of new Set([password.normalize('NFC'), password])) {
      const matches = await run({ name: 'verify', password: form, hash });
      if (matches === true && usable) return form;
    }
    return undefined;
  }

  /**
   * Whether a hash that a password has just verified against should be replaced: it is of another
   * scheme than new ones, or cheaper. Not where bcrypt saw only the beginning of the password: what
   * followed was not verified, and must not become part of what is asked for. And not beside the
   * FastAPI backend, which would not find its hashes any more.
   *
   * @param matched the form of the password that matched
   */
  needsRehash(stored: string, matched: string): boolean {
    if (this.settings.COEXIST_WITH_FASTAPI) return false;
    const format = parseHash(stored);
    if (format === undefined) return false;
    const bytes = Buffer.byteLength(matched);
    if (format.scheme === 'bcrypt' && bytes > BCRYPT_MAX_BYTES) return false;
    const { PASSWORD_SCHEME: scheme, BCRYPT_COST: cost } = this.settings;
    return scheme === 'argon2id'
      ? format.scheme !== scheme || format.cost < ARGON2ID.memoryCost * ARGON2ID.timeCost
      : format.scheme === 'argon2id' || format.cost < cost;
  }

  /** A hash like new ones, of a password that nobody knows. */
  unknownPassword(): string {
    return decoyHash(this.newSettings());
  }

  /** Says what hashes there are, so that those of nobody are like them, where they are hashes. */
  setCensus(census: HashCensus): void {
    this.census = new Map(
      [...census].filter(([settings]) => this.isVerifiable(decoyHash(settings))),
    );
  }

  /** Whether any password could be verified against a stored hash. */
  isVerifiable(hash: string): boolean {
    const format = parseHash(hash);
    return format !== undefined && this.queue.supports(format.scheme);
  }

  /** Whether to verify against a hash from elsewhere is no dearer than others can wait for. */
  isAffordable(hash: string): boolean {
    const format = parseHash(hash);
    if (format === undefined) return false;
    return format.scheme === 'argon2id'
      ? format.cost <= MAX_IMPORTED_ARGON2ID_COST
      : format.cost <= Math.max(MAX_IMPORTED_BCRYPT_COST, this.settings.BCRYPT_COST);
  }

  /**
   * The hash that a name without one is verified against. Which settings it has is decided by a
   * keyed digest of the name, in the proportions of the real ones: always the same for a name, and
   * nobody can say which without the key.
   */
  private decoyFor(username: string): string {
    const total = [...this.census.values()].reduce((sum, count) => sum + count, 0);
    const digest = createHmac('sha256', this.decoyKey).update(username).digest();
    let place = (digest.readUIntBE(0, 6) / 2 ** 48) * total;
    let chosen = this.newSettings();
    for (const [settings, count] of this.census) {
      chosen = settings;
      place -= count;
      if (place < 0) break;
    }
    const known = this.decoys.get(chosen);
    if (known !== undefined) return known;
    const decoy = decoyHash(chosen);
    this.decoys.set(chosen, decoy);
    return decoy;
  }

  private newSettings(): string {
    return this.settings.PASSWORD_SCHEME === 'argon2id'
      ? ARGON2ID_SETTINGS
      : bcryptSettings(this.settings.BCRYPT_COST);
  }
}
