import '@testing-library/jest-dom/vitest';
import { notifications } from '@mantine/notifications';
import { cleanup, configure } from '@testing-library/react';
import { afterEach, beforeEach } from 'vitest';

// What is waited for is the page, not a time.
configure({ asyncUtilTimeout: 4000 });

beforeEach(() => {
  // What Mantine asks a browser for, and happy-dom does not have as browsers do.
  Object.defineProperty(window, 'matchMedia', {
    configurable: true,
    value: (query: string) => ({
      matches: false,
      media: query,
      addEventListener: () => undefined,
      removeEventListener: () => undefined,
    }),
  });
  localStorage.clear();
});
afterEach(() => {
  cleanup();
  // Which the page keeps beside React.
  notifications.clean();
  notifications.cleanQueue();
});
