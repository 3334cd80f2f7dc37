import { killInEachStep } from './kills.ts';

killInEachStep('with the queue on PostgreSQL');
