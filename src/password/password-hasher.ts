import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { encodeBase64 } from 'bcryptjs';
import Piscina from 'piscina';
import { Settings } from '../config/settings';
import type { BcryptTask } from './bcrypt.worker';

const BCRYPT_HASH = /^\$2[aby]\$(0[4-9]|[12]\d|3[01])\$[./A-Za-z0-9]{53}$/;
/** Threads that hash yield to the one that answers everyone else. */
const NICENESS = 10;

/** Hashes and verifies passwords, in NFC, on a pool of threads as wide as the machine. */
@Injectable()
export class PasswordHasher implements OnApplicationShutdown {
  private readonly pool = new Piscina<BcryptTask, string | boolean>({
    filename: require.resolve('./bcrypt.worker.js'),
    maxThreads: availableParallelism(),
    minThreads: 1,
    niceIncrement: NICENESS,
  });

  /**
   * A well-formed hash of nobody's password, at the cost of new ones: verifying against it takes
   * as long as against a real one.
   */
  readonly dummyHash: string;

  constructor(private readonly settings: Settings) {
    const cost = String(settings.BCRYPT_COST).padStart(2, '0');
    const salt = encodeBase64(randomBytes(16), 16);
    this.dummyHash = `$2b$${cost}$${salt}${encodeBase64(randomBytes(23), 23)}`;
  }

  /** @returns a `$2b$` hash at the cost of the settings */
  async hash(password: string): Promise<string> {
    const result = await this.pool.run({
      name: 'hash',
      password: password.normalize('NFC'),
      cost: this.settings.BCRYPT_COST,
    });
    return String(result);
  }

  /**
   * Whether a hash was made of this password. One that is not bcrypt's was made of none, which
   * takes as long to find out: no account can be told from another by that.
   */
  async verify(password: string, hash: string): Promise<boolean> {
    const wellFormed = BCRYPT_HASH.test(hash);
    const matches = await this.pool.run({
      name: 'verify',
      password: password.normalize('NFC'),
      hash: wellFormed ? hash : this.dummyHash,
    });
    return wellFormed && matches === true;
  }

  async onApplicationShutdown(): Promise<void> {
    await this.pool.close();
  }
}
