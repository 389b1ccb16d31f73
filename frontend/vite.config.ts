import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

/** Where `npm start` listens. */
const SERVICE = 'http://localhost:8000';

export default defineConfig({
  plugins: [react()],
  server: { proxy: { '/api': SERVICE } },
  // A source map of the page is of use to whoever looks into it, and of no harm: the source is open.
  build: { sourcemap: true, target: 'es2022' },
  test: {
    environment: 'happy-dom',
    environmentOptions: { happyDOM: { url: 'http://localhost/' } },
    setupFiles: 'src/test-setup.ts',
    // For a machine that does much else meanwhile.
    testTimeout: 20_000,
  },
});
