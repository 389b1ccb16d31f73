import { Logger } from '@nestjs/common';
import { InvalidArgumentError } from 'commander';
import { readEnvironment } from '../config/environment';
import { examine, isThere } from '../doctor/doctor';
import { printableJson } from '../operator/printable';
import { CommandError, commandLine, EXIT, runCommandLine } from './command-line';
import { printDiagnosis } from './doctor-report';
import { askPassword } from './prompt';

// What parts of the service say of themselves is no part of what was found.
Logger.overrideLogger(false);

const program = commandLine(
  'doctor',
  "Asks a running deployment what usually goes wrong, and changes nothing. Reads the service's settings. Exit status: 0 nothing is wrong, 1 something is, 2 could not look",
)
  .option(
    '--url <url>',
    'where people open the page, such as https://accounts.example.com: looks from outside, and from inside only where INSTANCE_HOST is set',
    baseUrl,
  )
  .option(
    '--login <username>',
    'with --url: an account of your own; asks for its password, logs in twice, looks, and logs out again',
  )
  .option('--stdin', 'the password is the first line of standard input', false)
  .option('--backup <path>', 'a backup, or the directory they are in: looks how old the newest is')
  .option('--json', 'for programs', false)
  .action(
    async ({
      url,
      login: username,
      stdin,
      backup,
      json,
    }: {
      url?: URL;
      login?: string;
      stdin: boolean;
      backup?: string;
      json: boolean;
    }) => {
      const environment = readEnvironment();
      if (url === undefined && username !== undefined) {
        throw new CommandError('--login needs --url: where to log in', EXIT.couldNotLook);
      }
      if (url === undefined && !isThere(environment)) {
        throw new CommandError(
          'There is nothing here to look at yet: start the service first, or say --url',
          EXIT.couldNotLook,
        );
      }
      const login =
        username === undefined ? undefined : { username, password: await askPassword(stdin) };
      const report = await examine({ url, login, backup }, environment);
      if (json) console.log(printableJson(report));
      else printDiagnosis(report);
      if (!report.reached) process.exitCode = EXIT.couldNotLook;
      else process.exitCode = report.summary.problem > 0 ? EXIT.no : EXIT.ok;
    },
  );

function baseUrl(text: string): URL {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) {
    throw new InvalidArgumentError('It has to be like https://accounts.example.com.');
  }
  const url = new URL(text);
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new InvalidArgumentError('It has to be a host and perhaps a path, and nothing else.');
  }
  return url;
}

void runCommandLine(program);
