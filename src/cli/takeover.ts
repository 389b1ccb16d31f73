import { text } from 'node:stream/consumers';
import { readEnvironment } from '../config/environment';
import { parseSettings } from '../config/settings';
import {
  lossesOf,
  runTakeover,
  assertNobodyNeedsIt,
  takeBack,
  TakeoverError,
} from '../takeover/alter';
import { checkSchema, checkTakeover, ownerOf } from '../takeover/check';
import { printLosses, printReport } from './takeover-report';
import { CommandError, commandLine, EXIT, runCommandLine, withDatabase } from './command-line';
import { confirm } from './prompt';

const program = commandLine(
  'takeover',
  "Takes the place of the FastAPI backend on its database, or gives it back. Reads the service's settings; see docs/takeover.md",
).hook('preAction', refuseEmbedded);

program
  .command('check')
  .description(
    'looks whether it can, and changes nothing. Exit status: 0 ready, 1 not, 2 could not look',
  )
  .option(
    '--token <token>',
    'a token of the FastAPI backend, to see whether SECRET_KEY opens it; - reads it from standard input',
  )
  .option('--json', 'for programs')
  .action(async ({ token, json }: { token?: string; json?: boolean }) => {
    const given = token === '-' ? (await text(process.stdin)).trim() : token;
    const report = await withDatabase({ readOnly: true }, (dataSource, settings) =>
      checkTakeover(dataSource, settings, given),
    );
    if (json === true) console.log(JSON.stringify(report, null, 2));
    else printReport(report);
    process.exitCode = report.ready ? EXIT.ok : EXIT.no;
  });

program
  .command('run')
  .description('does what check has listed; nobody waits for it. May be repeated, and interrupted')
  .action(async () => {
    const { role, isNews } = await withDatabase(
      { readOnly: true },
      async (dataSource, settings) => {
        const report = await checkSchema(dataSource, settings);
        if (!report.ready) {
          printReport(report);
          throw new CommandError('Nothing was changed');
        }
        return { role: await ownerOf(dataSource), isNews: report.migrations.length > 0 };
      },
    );
    // Whether anything is pending or not: what the settings say of the service's role may be new.
    await withDatabase({ yielding: true, role }, (dataSource) =>
      runTakeover(dataSource, console.log).catch(asCommandError),
    );
    console.log(
      isNews
        ? 'The service can be started'
        : 'There is nothing to do: the schema is that of this version',
    );
  });

program
  .command('back')
  .description('takes back what run has added, and nothing else')
  .option('--yes', 'what is lost by it is known')
  .action(async ({ yes = false }: { yes?: boolean }) => {
    const { losses, role } = await withDatabase({ readOnly: true }, async (dataSource) => {
      await assertNobodyNeedsIt(dataSource).catch(asCommandError);
      return { losses: await lossesOf(dataSource), role: await ownerOf(dataSource) };
    });
    printLosses(losses);
    await confirm('Go back?', yes);
    const was = await withDatabase({ yielding: true, role }, (dataSource) =>
      takeBack(dataSource, console.log).catch(asCommandError),
    );
    console.log(was ? 'The database is as it was' : 'There is nothing to take back');
  });

/** @throws CommandError without a server: the FastAPI backend has another than the embedded one */
function refuseEmbedded(): void {
  if (!parseSettings(readEnvironment()).embedded) return;
  throw new CommandError(
    'INSTANCE_HOST is empty: it has to name the PostgreSQL server of the FastAPI backend',
    EXIT.couldNotLook,
  );
}

function asCommandError(error: unknown): never {
  throw error instanceof TakeoverError ? new CommandError(error.message) : error;
}

void runCommandLine(program);
