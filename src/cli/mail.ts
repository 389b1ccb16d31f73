import { InvalidArgumentError } from 'commander';
import { listMails, MOST_LISTED, type OutboxEntry, retryMails } from '../mail/dead-letters';
import { Operator } from '../operator/operator';
import { printable, printableJson } from '../operator/printable';
import { CommandError, commandLine, runCommandLine, withDatabase } from './command-line';
import { commandLog, operatorName } from './operator';

const program = commandLine(
  'mail',
  "Mails that wait, were sent or could not be. Reads the service's settings",
);

program
  .command('list')
  .description('the newest 1,000 mails of the outbox, oldest first')
  .option('--dead', 'only what was given up')
  .option('--json', 'for programs')
  .action(async ({ dead = false, json = false }: { dead?: boolean; json?: boolean }) => {
    const { mails, more } = await withDatabase({ readOnly: true }, (dataSource) =>
      listMails(dataSource, dead),
    );
    if (json) console.log(printableJson(mails));
    else if (mails.length === 0) console.log(dead ? 'No mail was given up' : 'There is no mail');
    else for (const mail of mails) console.log(lineOf(mail));
    if (more) console.error(`There are more: these are the newest ${String(MOST_LISTED)}`);
  });

program
  .command('retry')
  .description('has mails sent that were given up')
  .argument('<id...>', 'which, as list names them', collectIds)
  .action(async (ids: string[]) => {
    const operator = new Operator(commandLog(), operatorName());
    const retried = await withDatabase({}, (dataSource) => retryMails(dataSource, ids));
    for (const id of retried) {
      operator.say('mail_retried', { mail: id });
      console.log(`Mail ${id} will be sent`);
    }
    const others = ids.filter((id) => !retried.includes(id));
    if (others.length > 0) {
      throw new CommandError(`Not given up, or not there: ${others.join(', ')}`);
    }
  });

function collectIds(text: string, before: string[] = []): string[] {
  // The most that PostgreSQL takes for one has 19 digits, of which any 18 are less.
  if (!/^\d{1,18}$/.test(text)) throw new InvalidArgumentError('It has to be the number of a mail');
  return [...before, String(BigInt(text))];
}

/** @param mail as one line, in columns */
function lineOf({ id, kind, recipient, state, attempts, failure, ...times }: OutboxEntry): string {
  const created = times.created_at.toISOString();
  const next = times.next_attempt_at === null ? '' : `next ${times.next_attempt_at.toISOString()}`;
  const tried = `${String(attempts)} ${attempts === 1 ? 'attempt' : 'attempts'}`;
  const columns = [id, state, kind, printable(recipient), created, tried, next];
  if (failure !== null) columns.push(printable(failure));
  return columns.filter(Boolean).join('  ');
}

void runCommandLine(program);
