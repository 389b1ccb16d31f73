import { Alert } from '@mantine/core';
import { IconAlertCircle } from '@tabler/icons-react';
import type { JSX } from 'react';
import { useSpeech } from '../i18n/language';
import { problemWords, type StatusWords } from '../i18n/problem-words';

/** `problemWords`, where everybody notices them; nothing if there are none. */
export function ProblemAlert({
  error,
  words,
  told,
}: {
  readonly error: Error | null;
  readonly words?: StatusWords | undefined;
  readonly told?: readonly string[];
}): JSX.Element | null {
  const speech = useSpeech();
  const text = error === null ? '' : problemWords(error, speech, words, told);
  if (text === '') return null;
  return (
    <Alert color="red" variant="light" role="alert" icon={<IconAlertCircle aria-hidden />}>
      {text}
    </Alert>
  );
}
