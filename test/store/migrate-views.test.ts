import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { mintButton, useButton } from '../../store/button.ts';
import { openPool } from '../../store/db.ts';
import { migrate } from '../../store/migrate.ts';
import { closeModal, forgetModals, mintModal, modalById, useModal } from '../../store/modal.ts';
import { quietLog } from '../helpers/log.ts';
import { testDatabase } from '../helpers/postgres.ts';
import { someFacts } from '../helpers/slack.ts';

const before = readdirSync(new URL('../../store/migrations', import.meta.url)).filter((file) => file < '0006').length;

it('forms come to a database with incidents and buttons, and are bound to them', async () => {
  const database = await testDatabase();
  await migrate(database.url, quietLog, before);
  const pool = openPool({ url: database.url, name: 'test', max: 2, log: quietLog });
  const { rows } = await pool.query<{ id: number }>(
    `insert into incident (scope, class, peak, channel, facts, config_revision, began_at, opened_at)
     values ('billing', 'partial outage', 'partial outage', '#incidents', $1, 'test', now(), now()) returning id`,
    [JSON.stringify(someFacts())],
  );
  const incidentId = rows[0]?.id ?? 0;
  const button = { incidentId, incidentRevision: 1, verb: 'runbook', params: { runbook: 'restart' }, expiresInMs: 60_000 };
  const buttonId = await mintButton(pool, button);

  expect(await migrate(database.url, quietLog)).toContain('0006_views');
  expect(await useButton(pool, buttonId, 'ana')).toBe(true);
  const form = {
    verb: 'runbook',
    params: {},
    openedBy: 'U0ANA',
    answerTo: { responseUrl: 'https://slack.example/1' },
    expiresInMs: 3_600_000,
  };
  const id = await mintModal(pool, { ...form, button: { id: buttonId, incidentId, incidentRevision: 1 } });
  expect(await modalById(pool, id)).toMatchObject({ openedBy: 'U0ANA', button: { incidentId }, expired: false, used: false });
  // It cannot outlive its button.
  await pool.query(`update button set expires_at = now() where id = $1`, [buttonId]);
  const late = await mintModal(pool, { ...form, button: { id: buttonId, incidentId, incidentRevision: 1 } });
  expect(await modalById(pool, late)).toMatchObject({ expired: true });
  expect([await useModal(pool, late), await useModal(pool, id), await useModal(pool, id)]).toEqual([false, true, false]);

  const own = await mintModal(pool, { verb: 'run', params: {}, openedBy: 'U0ANA', answerTo: {}, expiresInMs: 60_000 });
  await closeModal(pool, own, 'U0BEN');
  expect(await modalById(pool, own)).toMatchObject({ expired: false });
  await closeModal(pool, own, 'U0ANA');
  expect(await modalById(pool, own)).toMatchObject({ expired: true });
  await pool.query(`update modal set expires_at = now() - interval '2 days' where id = $1`, [own]);
  await forgetModals(pool);
  expect(await modalById(pool, own)).toBeUndefined();
  await pool.end();
  await database.drop();
});
