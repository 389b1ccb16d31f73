import { Anchor, Box, Flex, Paper, Stack, Text, Title } from '@mantine/core';
import type { JSX, ReactNode } from 'react';
import { Link } from 'react-router';
import { Brand } from '../components/brand';
import { useSpeech } from '../i18n/language';

/** A page for people who are not logged in: a form, and what it is all about. */
export function AuthPage({
  title,
  hint,
  other,
  children,
}: {
  readonly title: string;
  readonly hint: string;
  /** The way to the other form. */
  readonly other: { readonly question: string; readonly to: string; readonly name: string };
  readonly children: ReactNode;
}): JSX.Element {
  const { t } = useSpeech();
  return (
    <Flex
      flex={1}
      px={{ base: 'md', sm: 'xl' }}
      pb="xl"
      justify="center"
      align={{ base: 'flex-start', sm: 'center' }}
    >
      <title>{`${title} · ${t.account}`}</title>
      <Paper className="card" radius="lg" w="100%" maw={940} style={{ overflow: 'hidden' }}>
        <Flex>
          <Box className="brand-panel" visibleFrom="md" flex="0 0 40%" p={40}>
            <Stack justify="space-between" h="100%">
              <Brand size={44} />
              <Text fz={30} lh={1.25} fw={650} style={{ position: 'relative', zIndex: 1 }}>
                {t.tagline}
              </Text>
            </Stack>
          </Box>
          <Box flex={1} p={{ base: 'lg', sm: 40 }}>
            <Title order={1} fz={{ base: 24, sm: 28 }}>
              {title}
            </Title>
            <Text c="dimmed" mt={6} mb="xl">
              {hint}
            </Text>
            {children}
            <Text mt="lg" ta="center">
              {other.question}{' '}
              <Anchor
                component={Link}
                to={other.to}
                fw={600}
                underline="always"
                display="inline-block"
              >
                {other.name}
              </Anchor>
            </Text>
          </Box>
        </Flex>
      </Paper>
    </Flex>
  );
}
