import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Settings } from '../config/settings';
import type { Manners } from '../database/data-source';
import { AccountExport } from '../operator/account-export.service';
import { AccountImport, type ImportCounts } from '../operator/account-import.service';
import { AccountLookup, type FoundAccount } from '../operator/account-lookup.service';
import { OperatorService } from '../operator/operator.service';
import { printableJson } from '../operator/printable';
import { wholeNumber } from './arguments';
import { CommandError, commandLine, EXIT, runCommandLine } from './command-line';
import { openFile, unusable, writeTo } from './files';
import { askNewPassword, confirm } from './prompt';
import { withServices } from './services';
import {
  accountJson,
  accountLine,
  accountName,
  importSummary,
  printAccount,
  reportJson,
} from './user-report';

const READ_ONLY: Manners = { readOnly: true };
const ACCOUNT = ['<account>', 'id:5, the exact username, or the email address'] as const;

const program = commandLine(
  'user',
  "Looks after accounts. Reads the service's settings, and may be used while it runs. Exit status: 0 done, 1 not, 2 could not look",
);

program
  .command('list')
  .description('lists accounts by id, a page at a time')
  .argument('[text]', 'part of the name or of the address, in whatever case')
  .option('--after <id>', 'id of the last account of the page before', wholeNumber(0), 0)
  .option('--limit <number>', 'accounts on a page', wholeNumber(1, 10_000), 50)
  .option('--disabled', 'only those that are disabled', false)
  .option('--unverified', 'only those whose address is not known to be theirs', false)
  .option('--json', 'for programs', false)
  .action(
    async (
      text: string | undefined,
      options: {
        after: number;
        limit: number;
        disabled: boolean;
        unverified: boolean;
        json: boolean;
      },
    ) => {
      const { accounts, more } = await withServices(READ_ONLY, (app) =>
        app.get(AccountLookup).list({ text, ...options }),
      );
      const next = more ? (accounts.at(-1)?.id ?? null) : null;
      if (options.json) {
        console.log(printableJson({ accounts: accounts.map(accountJson), next }));
        return;
      }
      for (const account of accounts) console.log(accountLine(account));
      if (accounts.length === 0) console.error('There is none');
      if (next !== null) console.error(`There are more: the same with --after ${String(next)}`);
    },
  );

program
  .command('show')
  .description('shows an account, its logins, wrong passwords, and mails that were not sent')
  .argument(...ACCOUNT)
  .option('--json', 'for programs', false)
  .action(async (name: string, { json }: { json: boolean }) => {
    const report = await withServices(READ_ONLY, (app) => app.get(AccountLookup).report(name));
    if (json) console.log(printableJson(reportJson(report)));
    else printAccount(report);
  });

program
  .command('create')
  .description('makes an account, by the rules of a registration')
  .argument('<username>')
  .argument('<email>')
  .option('--verified', 'the address is known to be its owner’s', false)
  .option('--stdin', 'the password is the first line of standard input', false)
  .option('--no-password', 'its owner gets a mail to choose one')
  .action(
    async (
      username: string,
      email: string,
      options: { verified: boolean; stdin: boolean; password: boolean },
    ) => {
      await withServices({}, async (app, settings) => {
        const operators = app.get(OperatorService);
        const account = { username, email, verified: options.verified };
        await operators.assertAcceptable(account);
        const id = await operators.create(
          account,
          options.password ? await askNewPassword(options.stdin) : undefined,
        );
        console.log(`Made id:${String(id)}`);
        if (!options.password) console.log(whereMailGoes(settings));
      });
    },
  );

program
  .command('disable')
  .description('ends every login at once, and lets nobody log in: as with a wrong password')
  .argument(...ACCOUNT)
  .action((name: string) =>
    change(name, 'Disabled', (operators, account) => operators.disable(account)),
  );

program
  .command('enable')
  .description('lets whoever knows the password log in again')
  .argument(...ACCOUNT)
  .action((name: string) =>
    change(name, 'Enabled', (operators, account) => operators.enable(account)),
  );

program
  .command('set-password')
  .description('asks for another password, and ends every login')
  .argument(...ACCOUNT)
  .option('--stdin', 'it is the first line of standard input', false)
  .action((name: string, { stdin }: { stdin: boolean }) =>
    change(name, 'Has the new password', async (operators, account) => {
      if (!stdin) console.error(accountName(account));
      await operators.setPassword(account, await askNewPassword(stdin));
    }),
  );

program
  .command('send-reset')
  .description('sends its owner a mail to choose another password')
  .argument(...ACCOUNT)
  .action((name: string) =>
    change(name, 'Gets a mail', async (operators, account, settings) => {
      await operators.sendReset(account);
      console.log(whereMailGoes(settings));
    }),
  );

program
  .command('logout')
  .description('ends every login')
  .argument(...ACCOUNT)
  .action((name: string) =>
    change(name, 'Logged out', (operators, account) => operators.logOut(account)),
  );

program
  .command('unlock')
  .description('lets its password be guessed again, after too many wrong ones')
  .argument(...ACCOUNT)
  .action((name: string) =>
    change(name, 'Unlocked', (operators, account) => operators.unlock(account)),
  );

program
  .command('delete')
  .description('deletes an account and everything of it; this cannot be undone')
  .argument(...ACCOUNT)
  .option('--yes', 'asks nobody', false)
  .action((name: string, { yes }: { yes: boolean }) =>
    change(name, 'Deleted', async (operators, account) => {
      await confirm(`Delete ${accountName(account)} and everything of it?`, yes);
      await operators.delete(account);
    }),
  );

program
  .command('export')
  .description('writes every account as a line of JSON, with the hash of its password')
  .option('--output <file>', 'a new file that only you can read, instead of standard output')
  .action(async ({ output }: { output?: string }) => {
    await withServices({}, async (app) => {
      console.error('What is written holds the hash of every password: keep it as one keeps them');
      await writeTo(output, (target) =>
        pipeline(Readable.from(app.get(AccountExport).lines()), target, {
          end: output !== undefined,
        }),
      );
    });
  });

program
  .command('import')
  .description(
    'makes the accounts of lines that export has written. Those that are there stay as they are: it can be repeated',
  )
  .argument('[file]', 'the file, or - for standard input', '-')
  .action(async (file: string) => {
    await withServices({}, async (app) => {
      const counts: ImportCounts = { created: 0, unchanged: 0, differing: 0, bad: 0, lines: 0 };
      const input = file === '-' ? process.stdin : await openFile(file);
      const interruption = new AbortController();
      for (const signal of ['SIGINT', 'SIGTERM'] as const) {
        process.once(signal, () => {
          interruption.abort();
          input.destroy();
        });
      }
      try {
        const onBad = (line: number, why: string): void => {
          console.error(`line ${String(line)}: ${why}`);
        };
        await app.get(AccountImport).run(input, onBad, counts);
      } catch (error) {
        if (counts.lines > 0) console.log(importSummary(counts));
        if (input.errored === error) throw unusable(file, error);
        if (!interruption.signal.aborted) throw error;
      }
      if (interruption.signal.aborted) {
        throw new CommandError(
          'Interrupted: what was made stays, and the rest comes when it is repeated',
        );
      }
      console.log(importSummary(counts));
      process.exitCode = counts.bad === 0 ? EXIT.ok : EXIT.no;
    });
  });

/** Does something to the account of this name, and says so. */
async function change(
  name: string,
  done: string,
  work: (operators: OperatorService, account: FoundAccount, settings: Settings) => Promise<void>,
): Promise<void> {
  await withServices({}, async (app, settings) => {
    const account = await app.get(AccountLookup).find(name);
    await work(app.get(OperatorService), account, settings);
    console.log(`${done}: ${accountName(account)}`);
  });
}

function whereMailGoes({ mail }: Settings): string {
  return mail === 'kept'
    ? 'Mails are not sent here: they are kept in the database, for whoever sits at this machine'
    : 'The running service sends the mail';
}

void runCommandLine(program);
