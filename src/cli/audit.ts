import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { getDataSourceToken } from '@nestjs/typeorm';
import { Option } from 'commander';
import type { DataSource } from 'typeorm';
import type { AuditEvent, Outcome } from '../audit/audit-event.entity';
import { eventsOf, newestEvents, type AuditQuery } from '../audit/audit-trail';
import type { Manners } from '../database/data-source';
import { SECURITY_EVENTS, type SecurityEvent } from '../logging/security-log';
import { AccountLookup } from '../operator/account-lookup.service';
import { printable, printableJson, printableLine } from '../operator/printable';
import { time, wholeNumber } from './arguments';
import { CommandError, commandLine, runCommandLine } from './command-line';
import { writeTo } from './files';
import { withServices } from './services';

const READ_ONLY: Manners = { readOnly: true };

/** What can be asked for, as commander has it. */
interface Filter {
  readonly account?: string;
  readonly since?: Date;
  readonly until?: Date;
  readonly kind?: SecurityEvent[];
  readonly outcome?: Outcome;
}

const FILTERS: readonly Option[] = [
  new Option(
    '--account <account>',
    'id:5, also when it is gone; the exact username, or the email address',
  ),
  new Option(
    '--since <time>',
    'like 2026-11-30 (UTC) or 2026-11-30T08:00:00Z, or 30m, 12h or 7d ago',
  ).argParser(time),
  new Option('--until <time>', 'the same; events before it').argParser(time),
  new Option('--kind <kind...>', 'what happened').choices(SECURITY_EVENTS),
  new Option('--outcome <outcome>').choices(['success', 'failure']),
];

const program = commandLine(
  'audit',
  "Reads the audit trail: what happened to accounts. Reads the service's settings, and may be used while it runs. Exit status: 0 done, 1 not, 2 could not look",
);

const list = program
  .command('list')
  .description('the newest events, oldest first')
  .option('--before <id>', 'number of the oldest event of the page before', wholeNumber(1))
  .option('--limit <number>', 'events on a page', wholeNumber(1, 10_000), 100)
  .option('--json', 'for programs', false)
  .action(async (options: Filter & { before?: number; limit: number; json: boolean }) => {
    const { before, limit, json } = options;
    const page = await withTrail(options, (dataSource, query) =>
      newestEvents(dataSource, query, { before, limit }),
    );
    if (page === undefined) {
      throw new CommandError(
        `There is no event ${String(before)}, or no more: begin again without --before`,
      );
    }
    const { events, more } = page;
    if (json) console.log(printableJson(events));
    else for (const event of events) console.log(lineOf(event));
    if (events.length === 0) console.error('There is none');
    if (more)
      console.error(`There are older ones: the same with --before ${String(events[0]?.id)}`);
  });

const exportAll = program
  .command('export')
  .description('writes every event but those of the last minute as a line of JSON, oldest first')
  .option('--output <file>', 'a new file that only you can read, instead of standard output')
  .action(async ({ output, ...filter }: Filter & { output?: string }) => {
    await withTrail(filter, (dataSource, query) =>
      writeTo(output, (target) =>
        pipeline(Readable.from(linesOf(dataSource, query)), target, { end: output !== undefined }),
      ),
    );
  });

for (const command of [list, exportAll]) for (const filter of FILTERS) command.addOption(filter);

/** Reads the trail as the options ask for. */
async function withTrail<T>(
  { account, kind, ...rest }: Filter,
  work: (dataSource: DataSource, query: AuditQuery) => Promise<T>,
): Promise<T> {
  return withServices(READ_ONLY, async (app) => {
    return work(app.get<DataSource>(getDataSourceToken()), {
      ...rest,
      kinds: kind,
      account: account === undefined ? undefined : await idOf(account, app.get(AccountLookup)),
    });
  });
}

/** @throws OperatorError when it is named by what nobody has */
async function idOf(account: string, accounts: AccountLookup): Promise<number> {
  const [, id] = /^id:(\d{1,10})$/.exec(account) ?? [];
  return id === undefined ? (await accounts.find(account)).id : Number(id);
}

/** Lines of JSON; says so where there is none. */
async function* linesOf(dataSource: DataSource, query: AuditQuery): AsyncGenerator<string> {
  let exported = 0;
  for await (const events of eventsOf(dataSource, query)) {
    exported += events.length;
    yield events.map((event) => `${printableLine(event)}\n`).join('');
  }
  if (exported === 0) console.error('There is none, but perhaps of the last minute');
}

/** An event as one line, in columns. */
function lineOf({ id, at, kind, account, session, address, operator }: AuditEvent): string {
  const columns = [
    id,
    at.toISOString(),
    printable(kind),
    account === null ? '' : `id:${String(account)}`,
  ];
  if (address !== null) columns.push(`from ${printable(address)}`);
  if (session !== null) columns.push(`login ${session}`);
  if (operator !== null) columns.push(`by ${printable(operator)}`);
  return columns.filter(Boolean).join('  ');
}

void runCommandLine(program);
