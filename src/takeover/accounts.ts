import type { ServiceDataSource } from '../database/data-source';
import { type HashFormat, parseHash } from '../password/hash-format';
import { caseFold } from '../user/case-fold';
import { parseEmailAddress } from '../user/email-address';

/** Rows that are read at once. */
const PAGE = 20_000;
/** Most accounts that are named of each kind; all are counted. */
const NAMED = 1000;

/** What the accounts are like that are there. */
export interface Accounts {
  readonly total: number;
  readonly hashes: readonly HashKind[];
  /** Hashes that no password could be verified against: a login of theirs is refused. */
  readonly unverifiable: Some;
  /** Email addresses that nobody could sign up with here; theirs stay as they are. */
  readonly refusedEmails: Some;
  /** Names and addresses that differ in case only. */
  readonly likeUsernames: SomeGroups;
  readonly likeEmails: SomeGroups;
}

/** Accounts whose hashes have the same settings, such as `$2b$12$`. */
interface HashKind extends HashFormat {
  accounts: number;
}

/** How many there are, and the first of them. */
interface Some {
  readonly count: number;
  readonly accounts: readonly number[];
}
interface SomeGroups {
  readonly count: number;
  readonly groups: readonly (readonly number[])[];
}

interface Row {
  readonly id: number;
  readonly username: string;
  readonly email: string;
  readonly password: string;
}

/** Reads every account, some at a time and by key, and changes none. */
export async function surveyAccounts(dataSource: ServiceDataSource): Promise<Accounts> {
  const hashes = new Map<string, HashKind>();
  const unverifiable = new Named();
  const refusedEmails = new Named();
  const likeUsernames = new Alike();
  const likeEmails = new Alike();
  let total = 0;
  for await (const { id, username, email, password } of rowsOf(dataSource)) {
    total += 1;
    const format = parseHash(password);
    if (format === undefined) {
      unverifiable.add(id);
    } else {
      const kind = hashes.get(format.settings) ?? { ...format, accounts: 0 };
      kind.accounts += 1;
      hashes.set(format.settings, kind);
    }
    if (parseEmailAddress(email) === undefined) refusedEmails.add(id);
    likeUsernames.add(id, caseFold(username));
    likeEmails.add(id, foldedCase(email));
  }
  return {
    total,
    hashes: [...hashes.values()].sort((a, b) => b.accounts - a.accounts),
    unverifiable: unverifiable.result(),
    refusedEmails: refusedEmails.result(),
    likeUsernames: likeUsernames.result(),
    likeEmails: likeEmails.result(),
  };
}

async function* rowsOf(dataSource: ServiceDataSource): AsyncGenerator<Row> {
  let last: number | null = null;
  for (;;) {
    const rows: Row[] = await dataSource.query<Row[]>(
      `SELECT id, username, email, password FROM "user"
        WHERE $1::integer IS NULL OR id > $1 ORDER BY id LIMIT $2`,
      [last, PAGE],
    );
    yield* rows;
    const end = rows.at(-1);
    if (end === undefined) return;
    last = end.id;
  }
}

function foldedCase(text: string): string {
  return text.normalize('NFKC').toLowerCase();
}

class Named {
  private count = 0;
  private readonly accounts: number[] = [];

  add(id: number): void {
    this.count += 1;
    if (this.count <= NAMED) this.accounts.push(id);
  }

  result(): Some {
    return { count: this.count, accounts: this.accounts };
  }
}

/** Finds accounts that have something in common. */
class Alike {
  private readonly first = new Map<string, number>();
  private readonly groups = new Map<string, number[]>();

  add(id: number, form: string): void {
    const first = this.first.get(form);
    if (first === undefined) {
      this.first.set(form, id);
      return;
    }
    const group = this.groups.get(form) ?? [first];
    group.push(id);
    this.groups.set(form, group);
  }

  result(): SomeGroups {
    return { count: this.groups.size, groups: [...this.groups.values()].slice(0, NAMED) };
  }
}
