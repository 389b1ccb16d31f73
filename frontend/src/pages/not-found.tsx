import { Button, Center, Stack, Text, Title } from '@mantine/core';
import type { JSX } from 'react';
import { Link } from 'react-router';
import { useSpeech } from '../i18n/language';

export function NotFoundPage(): JSX.Element {
  const { t } = useSpeech();
  return (
    <Center mih="60vh" p="md">
      <title>{`${t.notFound} · ${t.account}`}</title>
      <Stack align="center" ta="center">
        <Title order={1}>{t.notFound}</Title>
        <Text c="dimmed">{t.notFoundHint}</Text>
        <Button component={Link} to="/">
          {t.home}
        </Button>
      </Stack>
    </Center>
  );
}
