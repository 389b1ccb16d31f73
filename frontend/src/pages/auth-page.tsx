import { Anchor, Box, Flex, Paper, Stack, Text, Title } from '@mantine/core';
import type { JSX, ReactNode } from 'react';
import { Link } from 'react-router';
import { Brand } from '../components/brand';
import { keepFocus } from '../components/keep-focus';
import { useSpeech } from '../i18n/language';

/** From a step that is done, as from a page: on at the start of the next one. */
const stepDone = keepFocus((step) => step.closest('main'));

/** A page for people who are not logged in: a form, and what it is all about. */
export function AuthPage({
  title,
  hint,
  step,
  other,
  children,
}: {
  readonly title: string;
  readonly hint: string;
  /** Which of its steps it is at, if it has several. */
  readonly step?: string;
  /** The way to the other form. */
  readonly other?: { readonly question: string; readonly to: string; readonly name: string };
  readonly children?: ReactNode;
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
          <Box flex={1} miw={0} p={{ base: 'lg', sm: 40 }}>
            <Title order={1} fz={{ base: 24, sm: 28 }}>
              {title}
            </Title>
            <Text c="dimmed" mt={6} mb="xl" className="break-anywhere">
              {hint}
            </Text>
            <Box key={step} ref={stepDone}>
              {children}
            </Box>
            {other !== undefined && (
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
            )}
          </Box>
        </Flex>
      </Paper>
    </Flex>
  );
}
