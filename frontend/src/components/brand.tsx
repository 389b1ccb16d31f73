import type { JSX } from 'react';

/** The mark of the page; what it stands for is said beside it. */
export function Brand({ size = 30 }: { readonly size?: number }): JSX.Element {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden>
      <rect width="32" height="32" rx="9" fill="#175768" />
      <circle cx="16" cy="12.5" r="5" fill="#fff" />
      <path d="M6.500 26c1-5.200 4.900-7.800 9.500-7.800s8.500 2.600 9.500 7.800z" fill="#fff" />
    </svg>
  );
}
