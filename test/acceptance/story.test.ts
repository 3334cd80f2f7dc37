import { tellTheStory } from './story.ts';

tellTheStory('a clinic is watched, broken and repaired', { inTheMiddle: (system) => system.killPostgres() });
