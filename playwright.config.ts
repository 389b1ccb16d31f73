import { chmodSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from '@playwright/test';

/** Made once, by the process that the others are started from. */
const data = (process.env['UI_DATA_DIR'] ??= mkdtempSync(join(tmpdir(), 'uas-ui-')));
// As root, PostgreSQL runs as nobody, who must be able to get there.
chmodSync(data, 0o711);
const executablePath = process.env['CHROMIUM_PATH'];

/** Journeys through the page, in a real browser, against the built service on a database of its own. */
export default defineConfig({
  testDir: 'test/ui',
  testMatch: '*.ui.ts',
  fullyParallel: true,
  workers: 2,
  // For a machine that does much else meanwhile.
  timeout: 60_000,
  expect: { timeout: 15_000 },
  reporter: [['list']],
  outputDir: join(data, 'results'),
  use: {
    // Of the port that the system has chosen, once the service has said which.
    baseURL: `http://localhost:${process.env['SERVICE_PORT'] ?? ''}`,
    trace: 'retain-on-failure',
    launchOptions: {
      ...(executablePath !== undefined && { executablePath }),
      // As root, as in a container, Chromium has no sandbox of its own.
      args: [
        ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-quic',
      ],
    },
  },
  projects: [
    { name: 'desktop ko', use: { locale: 'ko-KR', viewport: { width: 1280, height: 800 } } },
    {
      name: 'phone en',
      use: { locale: 'en-GB', viewport: { width: 320, height: 640 }, colorScheme: 'dark' },
    },
  ],
  webServer: {
    command: 'node dist/src/main.js',
    wait: { stdout: /API +http:\/\/localhost:(?<service_port>\d+)/ },
    env: { PORT: '0', DATA_DIR: join(data, 'data'), BCRYPT_COST: '4' },
    gracefulShutdown: { signal: 'SIGTERM', timeout: 10_000 },
  },
});
