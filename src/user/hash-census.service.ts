import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { Repository } from 'typeorm';
import { DatabaseService } from '../database/database.service';
import { PeriodicJob } from '../database/periodic-job';
import { type HashCensus, PasswordHasher } from '../password/password-hasher';
import { User } from './user.entity';

/** So long, hashes of a kind that was imported just now tell whose name is known. */
const INTERVAL_MS = 60 * 1000;
/** Rows that are enough to know proportions by. */
const SAMPLE_ROWS = 10_000;

/** The part of a hash before salt and digest: `HashFormat.settings`. */
const SETTINGS = String.raw`^(\$2[aby]\$[0-9]{2}\$|\$bcrypt-sha256\$[^$]+\$|\$argon2id\$v=[0-9]+\$[^$]+\$)`;

/** Counts the schemes and costs of the stored hashes; in a large table, of some pages only. */
export async function takeHashCensus(users: Pick<Repository<User>, 'query'>): Promise<HashCensus> {
  const rows = await users.query<{ settings: string; count: number }[]>(
    `SELECT substring(password FROM $1) AS settings, count(*)::int AS count
       FROM "user" TABLESAMPLE SYSTEM (
              (SELECT least(100, 100 * $2 / greatest(reltuples, 1))
                 FROM pg_class WHERE oid = '"user"'::regclass))
      GROUP BY 1 HAVING substring(password FROM $1) IS NOT NULL ORDER BY 1`,
    [SETTINGS, SAMPLE_ROWS],
  );
  return new Map(rows.map(({ settings, count }) => [settings, count]));
}

/**
 * Looks from time to time which schemes and costs the stored hashes have, for the hasher, whose
 * decoys are to be like them.
 */
@Injectable()
export class HashCensusService extends PeriodicJob {
  constructor(
    @InjectRepository(User) private readonly users: Repository<User>,
    database: DatabaseService,
    private readonly hasher: PasswordHasher,
  ) {
    super(database, INTERVAL_MS);
  }

  /** Counts now, and tells the hasher. */
  async run(): Promise<void> {
    this.hasher.setCensus(await takeHashCensus(this.users));
  }
}
