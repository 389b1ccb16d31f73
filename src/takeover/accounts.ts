import type { ServiceDataSource } from '../database/data-source';
import { type HashFormat, parseHash } from '../password/hash-format';
import { caseFold } from '../user/case-fold';
import { parseEmailAddress } from '../user/email-address';
import { skeleton } from '../user/skeleton';

/** Rows that are read at once. */
const PAGE = 20_000;
/** Most accounts that are named of each kind; all are counted. */
const NAMED = 1000;

/** Longest text that is compared, in UTF-16 units: that takes time which grows with its square. */
const MAX_LOOKED_AT = 2048;

/** What the accounts are like that are there. */
export interface Accounts {
  readonly total: number;
  readonly hashes: readonly HashKind[];
  /** Hashes that no password could be verified against: a login of theirs is refused. */
  readonly unverifiable: Some;
  /** Email addresses that nobody could sign up with here; theirs stay as they are. */
  readonly refusedEmails: Some;
  /** Usernames that are one in whatever case, and addresses that are. */
  readonly sameUsernames: SomeGroups;
  readonly sameEmails: SomeGroups;
  /** Those that are not, and that people take for one another (UTS 39). */
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
  const usernames = new Alike();
  const emails = new Alike();
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
    usernames.add(id, username);
    emails.add(id, email);
  }
  const [sameUsernames, likeUsernames] = await usernames.result(dataSource, 'username');
  const [sameEmails, likeEmails] = await emails.result(dataSource, 'email');
  return {
    total,
    hashes: [...hashes.values()].sort((a, b) => b.accounts - a.accounts),
    unverifiable: unverifiable.result(),
    refusedEmails: refusedEmails.result(),
    sameUsernames,
    sameEmails,
    likeUsernames,
    likeEmails,
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

/** Of what is much longer than anything that can be chosen, the beginning. */
function folded(text: string): string {
  return caseFold(text.slice(0, MAX_LOOKED_AT));
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

/** Finds accounts whose names, or addresses, look alike. */
class Alike {
  /** One map, though there are two questions: what is the same looks alike. A million are in it. */
  private readonly first = new Map<string, number>();
  private readonly groups = new Map<string, number[]>();

  add(id: number, text: string): void {
    const look = skeleton(folded(text));
    const first = this.first.get(look);
    if (first === undefined) {
      this.first.set(look, id);
      return;
    }
    const group = this.groups.get(look) ?? [first];
    group.push(id);
    this.groups.set(look, group);
  }

  /** @returns those that are one in whatever case, and those that are not and only look so */
  async result(
    dataSource: ServiceDataSource,
    column: 'username' | 'email',
  ): Promise<[same: SomeGroups, alike: SomeGroups]> {
    const same: number[][] = [];
    const alike: number[][] = [];
    for (const ids of this.groups.values()) {
      const rows = await dataSource.query<{ id: number; text: string }[]>(
        `SELECT id, ${column} AS text FROM "user" WHERE id = ANY ($1) ORDER BY id`,
        [ids],
      );
      const byForm = new Map<string, number[]>();
      for (const { id, text } of rows) {
        const form = folded(text);
        byForm.set(form, [...(byForm.get(form) ?? []), id]);
      }
      const forms = [...byForm.values()];
      same.push(...forms.filter((one) => one.length > 1));
      if (forms.length > 1) alike.push(forms.flatMap(([id = 0]) => id));
    }
    return [someOf(same), someOf(alike)];
  }
}

function someOf(groups: readonly (readonly number[])[]): SomeGroups {
  return { count: groups.length, groups: groups.slice(0, NAMED) };
}
