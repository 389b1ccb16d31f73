import { Alert } from '@mantine/core';
import { IconAlertCircle } from '@tabler/icons-react';
import type { JSX } from 'react';
import { Problem } from '../api/problem';
import { useSpeech } from '../i18n/language';
import { fill } from '../i18n/messages';

/** What went wrong and what to do, in words; nothing for what is told at its fields. */
export function useProblemText(error: Error | null): string {
  const { t } = useSpeech();
  if (error === null) return '';
  if (!(error instanceof Problem)) return t.broken;
  if (error.status === 0) return t.offline;
  if (Object.keys(error.fields).length > 0) return '';
  const words = error.message === '' || error.status === 500 ? t.broken : error.message;
  if (error.retryAfter === undefined) return words;
  return fill(error.status === 429 ? t.tooMany : t.busy, { seconds: error.retryAfter });
}

/** `useProblemText`, where everybody notices it. */
export function ProblemAlert({ error }: { readonly error: Error | null }): JSX.Element | null {
  const text = useProblemText(error);
  if (text === '') return null;
  return (
    <Alert color="red" variant="light" role="alert" icon={<IconAlertCircle aria-hidden />}>
      {text}
    </Alert>
  );
}
