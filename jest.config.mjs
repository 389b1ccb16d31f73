/** What both kinds of tests share. */
const common = {
  testEnvironment: 'node',
  transform: {
    '^.+\\.[tj]s$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2023',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
          keepClassNames: true,
        },
        module: { type: 'commonjs' },
        sourceMaps: 'inline',
      },
    ],
  },
  // These are ES modules, which Jest has to translate.
  transformIgnorePatterns: ['/node_modules/(?!@nestjs/|@redocly/)', '<rootDir>/dist/'],
  // A copy of the other, for the build to read.
  modulePathIgnorePatterns: ['<rootDir>/dist/package.json'],
  // Nothing transforms what a thread of the pool loads: there the built worker runs.
  moduleNameMapper: {
    '^\\./hash\\.worker\\.js$': '<rootDir>/dist/src/password/hash.worker.js',
  },
};

const withDatabase = {
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/global-teardown.ts',
};

/** @type {import('jest').Config} */
export default {
  maxWorkers: '100%',
  // Most of it is room for a slow machine: nothing here waits for a time to pass.
  testTimeout: 60_000,
  projects: [
    { ...common, displayName: 'unit', testMatch: ['<rootDir>/src/**/*.spec.ts'] },
    {
      ...common,
      ...withDatabase,
      displayName: 'e2e',
      testMatch: ['<rootDir>/test/**/*.e2e-spec.ts'],
      testPathIgnorePatterns: ['<rootDir>/test/faults/'],
    },
    // A suite of its own: what breaks things for real takes all of a machine.
    {
      ...common,
      ...withDatabase,
      displayName: 'faults',
      testMatch: ['<rootDir>/test/faults/*.e2e-spec.ts'],
    },
  ],
};
