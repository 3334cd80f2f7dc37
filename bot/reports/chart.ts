/**
 * Draws the chart of a report as a PNG, offline: echarts writes SVG without a browser, resvg makes a picture of it with the DejaVu
 * fonts that come along. Made for a phone, where Slack shows it about 350 points wide: few things, large letters, and nothing that
 * only a colour says: lines differ in dash and symbol, parts that failed bear a cross, those that nobody saw are empty.
 */
import { fileURLToPath } from 'node:url';
import { renderAsync } from '@resvg/resvg-js';
import type { CustomSeriesOption, EChartsOption, LineSeriesOption } from 'echarts';
// The bundle: 14 MB of memory, where the parts one by one take 90.
import { init, setPlatformAPI } from 'echarts/dist/echarts.esm.min';
import { spanInWords, timeOfDay } from '../../core/duration.ts';
import { incidentName } from '../../core/incident.ts';
import type { ReportChart } from '../../core/report/chart.ts';
import type { ReportNumbers, Seen } from '../../core/report/figures.ts';
import { momentInWords } from '../../core/report/words.ts';

/** Without a browser nobody measures a text: DejaVu Sans is about 0.6 of its size wide for each character. */
setPlatformAPI({ measureText: (text, font) => ({ width: text.length * 0.6 * (Number.parseFloat(font ?? '') || TEXT_PX) }) });

const WIDTH_PX = 640;
const HEIGHT_PX = 592;
const SCALE = 2;
const TEXT_PX = 17;
const LEFT_PX = 74;
const RIGHT_PX = 22;
const LINES_TOP_PX = 128;
const LINES_BOTTOM_PX = 190;
const ROW_TOP_PX = 478;
const ROW_HEIGHT_PX = 40;
/** Among so few labels none covers another. */
const MOST_LABELS = 6;

const INK = '#1d2430';
const PALE = '#6b7482';
const RULE = '#e3e6ea';
/** Told apart by people who do not tell red from green (Okabe and Ito), and by their dashes and symbols. */
const LINES = [
  { color: '#0072b2', dash: 'solid', symbol: 'circle' },
  { color: '#d55e00', dash: [9, 5], symbol: 'triangle' },
  { color: '#009e73', dash: [2, 4], symbol: 'rect' },
  { color: '#8f5a8a', dash: [12, 4, 2, 4], symbol: 'diamond' },
] as const;
const WELL = '#b9dfc9';
const FAILED = '#c0392b';
const TROUBLED = 'rgba(192, 57, 43, 0.13)';

const FONTS = ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf'].map((file) => fileURLToPath(import.meta.resolve(`dejavu-fonts-ttf/ttf/${file}`)));

/** The chart as PNG, 1,280 pixels wide. */
export async function drawChart(numbers: ReportNumbers): Promise<Buffer> {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: WIDTH_PX, height: HEIGHT_PX });
  try {
    chart.setOption(optionOf(numbers));
    const picture = await renderAsync(chart.renderToSVGString(), {
      font: { loadSystemFonts: false, fontFiles: FONTS, defaultFontFamily: 'DejaVu Sans' },
      fitTo: { mode: 'zoom', value: SCALE },
      background: '#ffffff',
    });
    return picture.asPng();
  } finally {
    chart.dispose();
  }
}

function optionOf(numbers: ReportNumbers): EChartsOption {
  const { chart } = numbers;
  const endMs = chart.startMs + chart.parts.length * chart.widthMs;
  const text = { fontFamily: 'DejaVu Sans', fontSize: TEXT_PX, color: INK };
  const axis = { type: 'value' as const, min: chart.startMs, max: endMs, interval: labelEveryMs(chart), splitLine: { show: false } };
  return {
    animation: false,
    textStyle: text,
    title: titlesOf(numbers),
    legend: {
      left: LEFT_PX - 8,
      top: 44,
      itemWidth: 46,
      itemHeight: 12,
      itemGap: 14,
      textStyle: text,
      data: chart.lines.map((line) => line.title),
    },
    grid: [
      { left: LEFT_PX, right: RIGHT_PX, top: LINES_TOP_PX, bottom: LINES_BOTTOM_PX },
      { left: LEFT_PX, right: RIGHT_PX, top: ROW_TOP_PX, height: ROW_HEIGHT_PX },
    ],
    xAxis: [
      { ...axis, gridIndex: 0, axisLabel: { show: false }, axisLine: { lineStyle: { color: RULE } }, axisTick: { show: false } },
      {
        ...axis,
        gridIndex: 1,
        axisLine: { show: false },
        axisLabel: { ...text, color: PALE, margin: 12, formatter: (ms: number) => timeLabel(ms, numbers), hideOverlap: true },
      },
    ],
    yAxis: [
      {
        type: 'value',
        gridIndex: 0,
        min: 0,
        splitNumber: 4,
        axisLabel: { ...text, color: PALE, formatter: (ms: number) => (ms === 0 ? '0' : spanInWords(ms)) },
        splitLine: { lineStyle: { color: RULE } },
      },
      { type: 'value', gridIndex: 1, min: 0, max: 1, show: false },
    ],
    series: [...chart.lines.map((line, index) => lineSeries(chart, line, index)), rowSeries(chart)],
  };
}

function titlesOf(numbers: ReportNumbers): object[] {
  const { chart, untilMs, timeZone } = numbers;
  const left = chart.left > 0 ? ` (${chart.left} more in the table)` : '';
  const heading = { fontFamily: 'DejaVu Sans', fontSize: TEXT_PX + 1, fontWeight: 'bold', color: INK };
  const small = { ...heading, fontSize: TEXT_PX - 2, fontWeight: 'normal', color: PALE };
  return [
    { text: `p95 of each journey${left}`, left: 14, top: 8, textStyle: heading },
    { text: 'Rounds of all journeys', left: 14, top: ROW_TOP_PX - 40, textStyle: heading },
    { text: '✕ some failed    ▢ not seen', right: RIGHT_PX, top: ROW_TOP_PX - 38, textStyle: small },
    { text: `until ${momentInWords(untilMs, timeZone)}, ${timeZone}`, right: RIGHT_PX, top: HEIGHT_PX - 32, textStyle: small },
  ];
}

function lineSeries(chart: ReportChart, line: ReportChart['lines'][number], index: number): LineSeriesOption {
  const { color, dash, symbol } = LINES[index % LINES.length] ?? LINES[0];
  const crowded = chart.parts.length > 14;
  return {
    type: 'line',
    name: line.title,
    xAxisIndex: 0,
    yAxisIndex: 0,
    data: line.p95Ms.map((p95Ms, part) => [chart.startMs + (part + 0.5) * chart.widthMs, p95Ms]),
    symbol,
    symbolSize: crowded ? 9 : 11,
    showAllSymbol: true,
    itemStyle: { color },
    lineStyle: { color, width: 3, type: typeof dash === 'string' ? dash : [...dash] },
    ...(index === 0 ? { markArea: troubledAreas(chart) } : {}),
  };
}

/** The time of each incident, with its name above. */
function troubledAreas(chart: ReportChart): NonNullable<LineSeriesOption['markArea']> {
  const endMs = chart.startMs + chart.parts.length * chart.widthMs;
  // A few minutes of a day would be a hair's breadth.
  const leastMs = (endMs - chart.startMs) / 120;
  return {
    silent: true,
    itemStyle: { color: TROUBLED, borderColor: FAILED, borderWidth: 1, borderType: 'dashed' },
    label: { color: FAILED, fontFamily: 'DejaVu Sans', fontSize: TEXT_PX - 3, fontWeight: 'bold', position: 'top' },
    data: chart.troubled.map(({ id, fromMs, toMs }, index) => [
      { xAxis: fromMs, name: index < 3 ? incidentName(id) : '' },
      { xAxis: Math.min(endMs, Math.max(toMs, fromMs + leastMs)) },
    ]),
  };
}

/** One cell for each part of the window. */
function rowSeries(chart: ReportChart): CustomSeriesOption {
  return {
    type: 'custom',
    xAxisIndex: 1,
    yAxisIndex: 1,
    data: chart.parts.map((_, part) => [chart.startMs + part * chart.widthMs, 0]),
    renderItem: (params, api) => {
      const fromMs = Number(api.value(0));
      const [left = 0, bottom = 0] = api.coord([fromMs, 0]);
      const [right = 0, top = 0] = api.coord([fromMs + chart.widthMs, 1]);
      const shape = { x: left + 1, y: top, width: Math.max(2, right - left - 2), height: bottom - top, r: 3 };
      return { type: 'group', children: cell(chart.parts[params.dataIndex] ?? { well: 0, failed: 0, unseen: 0 }, shape) };
    },
  };
}

interface Shape {
  x: number;
  y: number;
  width: number;
  height: number;
  r: number;
}

function cell({ well, failed, unseen }: Seen, shape: Shape): { type: 'rect' | 'text'; [key: string]: unknown }[] {
  if (well + failed === 0) return [{ type: 'rect', shape, style: { fill: '#ffffff', stroke: PALE, lineWidth: 1.2, lineDash: [3, 3] } }];
  if (failed === 0) {
    const empty = unseen > 0 ? [strip(shape, unseen / (well + unseen))] : [];
    return [{ type: 'rect', shape, style: { fill: WELL } }, ...empty];
  }
  const size = Math.min(26, shape.width + 6);
  const cross = { x: shape.x + shape.width / 2, y: shape.y + shape.height / 2, text: '✕', fill: '#ffffff' };
  return [
    { type: 'rect', shape, style: { fill: FAILED } },
    {
      type: 'text',
      style: { ...cross, fontSize: size, fontFamily: 'DejaVu Sans', fontWeight: 'bold', align: 'center', verticalAlign: 'middle' },
    },
  ];
}

/** The share of a part that was not seen, as an empty strip at its top; never so thin that it is not seen itself. */
function strip(shape: Shape, share: number): { type: 'rect'; [key: string]: unknown } {
  const height = Math.max(6, shape.height * share);
  return { type: 'rect', shape: { ...shape, height }, style: { fill: '#ffffff', stroke: PALE, lineWidth: 1.2, lineDash: [3, 3] } };
}

/** A whole number of parts, so that labels stand where parts begin. */
function labelEveryMs(chart: ReportChart): number {
  return chart.widthMs * Math.max(1, Math.ceil(chart.parts.length / MOST_LABELS));
}

function timeLabel(ms: number, { chart, timeZone }: ReportNumbers): string {
  if (labelEveryMs(chart) >= 20 * 3_600_000) return momentInWords(ms, timeZone).split(' ').slice(0, 2).join(' ');
  return timeOfDay(ms, timeZone);
}
