// The page of a sweep.
'use strict';
{
const sweep = data.sweep.sweep, points = data.sweep.points;
const done = points.filter((point) => point.status === 'done');
const failed = points.filter((point) => point.status !== 'done');

const metrics = {
  cycles: ['cycles', 'cycles', 1, 'of the whole run'],
  time_ms: ['time', 'ms', 1, 'cycles at the machine’s clock'],
  energy_pj: ['energy', 'µJ', 1e-6, 'DRAM included'],
  area_mm2: ['area', 'mm²', 1, 'without DRAM'],
  edp: ['energy × time', 'µJ·ms', 1e-6, 'energy-delay product'],
  gops: ['throughput', 'GOP/s', 1, 'two operations per multiply-accumulate'],
  utilization: ['utilization', '%', 100, 'share of PE-cycles with work'],
  array_utilization: ['utilization, busy', '%', 100, 'the same while the array is busy'],
  dram_bytes: ['DRAM traffic', 'MiB', 1 / 1048576, 'read and written'],
  accuracy: ['accuracy', '%', 100, 'share of images classified right'],
};
const measured = Object.keys(metrics).filter((name) => done.some((point) => point[name] !== undefined && point[name] !== -1));
const higherIsBetter = new Set(['gops', 'utilization', 'array_utilization', 'accuracy']);
function scaled(point, name) { return point[name] === undefined || (name === 'accuracy' && point[name] < 0) ? null : point[name] * metrics[name][2]; }
/** Cycles are exact; the others are rounded for reading. */
function shown(point, name) { return name === 'cycles' ? count(point.cycles) : digits(scaled(point, name)); }
function label(name) { return metrics[name][1] === metrics[name][0] ? metrics[name][0] : `${metrics[name][0]} (${metrics[name][1]})`; }
function better(name, a, b) { return higherIsBetter.has(name) ? a > b : a < b; }

// What the points differ in: workload, machine and the axes, where there is a choice.
function choiceOf(point, axis) {
  if (axis === 'workload' || axis === 'machine') return point[axis];
  const value = point.parameters[axis];
  return typeof value === 'string' ? value : JSON.stringify(value);
}
const axes = ['workload', 'machine', ...new Set(points.flatMap((point) => Object.keys(point.parameters)))]
  .filter((axis) => new Set(points.map((point) => choiceOf(point, axis))).size > 1);
function axisName(axis) { return axis.replace(/^(machine|workload):/, '').replace(/^\//, '').replaceAll('/', ' '); }
function values(axis) {
  const all = [...new Set(points.map((point) => choiceOf(point, axis)))];
  return all.every((value) => value !== '' && !Number.isNaN(Number(value))) ? all.sort((a, b) => a - b) : all.sort();
}
function describe(point) { return axes.map((axis) => `${axisName(axis)} ${choiceOf(point, axis)}`).join(', ') || `point ${point.id}`; }

/** The points that none of the same scope beats in all of `names`. */
function front(names) {
  const best = [];
  for (const scope of new Set(done.map((point) => point.scope))) {
    const sign = names.map((name) => higherIsBetter.has(name) ? -1 : 1);
    const rows = done.filter((point) => point.scope === scope).map((point) => ({point, v: names.map((name, i) => sign[i] * (scaled(point, name) ?? Infinity))}));
    rows.sort((a, b) => { for (let i = 0; i < names.length; ++i) if (a.v[i] !== b.v[i]) return a.v[i] - b.v[i]; return a.point.id - b.point.id; });
    const kept = [];
    for (const row of rows) if (!kept.some((other) => other.v.every((value, i) => value <= row.v[i]) && other.v.some((value, i) => value < row.v[i]))) kept.push(row);
    best.push(...kept.map((row) => row.point));
  }
  return best;
}

const hues = ['hue1', 'hue2', 'hue3', 'hue4', 'hue5', 'hue6', 'hue7', 'hue8', 'hue9'];
function select(name, options, chosen, change) {
  const box = el('select', {onchange: change}, ...options.map(([value, text]) => el('option', {value, selected: value === chosen}, text)));
  return {box, field: el('label', {class: 'sub'}, name + ' ', box)};
}
const metricOptions = measured.map((name) => [name, metrics[name][0]]);
const objectives = sweep.objectives.filter((name) => measured.includes(name));

function scatterSection() {
  const x = select('Across', metricOptions, objectives[0], () => plot.redraw());
  const y = select('Up', metricOptions, objectives[1] || measured.find((name) => name !== objectives[0]), () => plot.redraw());
  const by = select('Colour', [['', 'none'], ...axes.map((axis) => [axis, axisName(axis)])], axes[0] || '', () => plot.redraw());
  const range = (name) => {
    const all = done.map((point) => scaled(point, name)).filter((value) => value !== null);
    return {low: all.reduce((a, b) => Math.min(a, b)), high: all.reduce((a, b) => Math.max(a, b))};
  };
  const axis = (name) => {
    const {low, high} = range(name);
    return {type: low > 0 && high / low > 8 ? 'logarithmic' : 'linear', min: low === high ? 0 : undefined, ticks: {maxRotation: 0}, title: {display: true, text: label(name)}};
  };
  const plot = chart('Every point of the sweep; those that none beats are coloured', 'tall', () => {
    const names = [x.box.value, y.box.value];
    const best = new Set(front(names));
    const at = (point) => ({x: scaled(point, names[0]), y: scaled(point, names[1]), point});
    const groups = by.box.value ? values(by.box.value) : [null];
    const lines = [...new Set(done.map((point) => point.scope))].map((scope) => ({label: 'front', type: 'line', stepped: false, pointRadius: 0, borderWidth: 1, borderColor: colour('soft'),
      data: [...best].filter((point) => point.scope === scope).map(at).sort((a, b) => a.x - b.x)}));
    return {
      type: 'scatter',
      data: {datasets: [
        ...groups.map((group, i) => ({label: group === null ? 'none beats it' : short(`${axisName(by.box.value)} ${group}`), pointRadius: 5, pointHoverRadius: 8,
          backgroundColor: colour(hues[i % 9]), borderColor: colour('card'), data: [...best].filter((point) => group === null || choiceOf(point, by.box.value) === group).map(at)})).filter((set) => set.data.length),
        {label: 'beaten by another', pointRadius: 3, backgroundColor: colour('mute'), borderWidth: 0, data: done.filter((point) => !best.has(point)).map(at)},
        ...lines].filter((set) => set.data.length)},
      options: {scales: {x: axis(names[0]), y: axis(names[1])},
        plugins: {legend: {labels: {filter: (item) => item.text !== 'front'}}, tooltip: {filter: (item) => item.dataset.label !== 'front', callbacks: {label: (item) => [describe(item.raw.point), ...names.map((name) => `${label(name)}: ${shown(item.raw.point, name)}`), item.raw.point.verified ? `checked by ${item.raw.point.verified}` : ''].filter(Boolean)}}}},
    };
  });
  return section('Trade-offs', 'Points that no other one of the same workload beats in both directions are coloured and joined; grey ones are beaten.',
    el('div', {class: 'bar'}, x.field, y.field, by.field), plot);
}

function heatSection() {
  if (axes.length < 2) return null;
  const holder = el('div', {class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Heat map'});
  const draw = () => {
    const name = metric.box.value, high = higherIsBetter.has(name);
    const cells = new Map();
    for (const point of done) {
      const key = choiceOf(point, down.box.value) + '\n' + choiceOf(point, across.box.value);
      const kept = cells.get(key);
      if (scaled(point, name) !== null && (!kept || better(name, scaled(point, name), scaled(kept, name)))) cells.set(key, point);
    }
    const level = (point) => Math.log(Math.max(1e-12, scaled(point, name)));
    const all = [...cells.values()].map(level);
    const least = Math.min(...all), most = Math.max(...all);
    const share = (point) => most === least ? 0.5 : (high ? level(point) - least : most - level(point)) / (most - least);
    holder.replaceChildren(el('table', {class: 'heat'},
      el('thead', {}, el('tr', {}, el('th', {class: 'text', scope: 'col'}, `${axisName(down.box.value)} \\ ${axisName(across.box.value)}`), ...values(across.box.value).map((value) => el('th', {scope: 'col', title: value}, short(value))))),
      el('tbody', {}, ...values(down.box.value).map((row) => el('tr', {}, el('th', {class: 'text', scope: 'row', title: row}, row),
        ...values(across.box.value).map((column) => {
          const point = cells.get(row + '\n' + column);
          if (!point) return el('td', {class: 'empty'}, '–');
          const box = el('td', {title: describe(point), class: share(point) > 0.62 ? 'deep' : ''}, shown(point, name));
          box.style.setProperty('--share', `${Math.round(8 + 84 * share(point))}%`);
          return box;
        }))))));
  };
  const options = axes.map((axis) => [axis, axisName(axis)]);
  // Axes that move together (square arrays) would fill a diagonal only.
  const pairs = (a, b) => new Set(points.map((point) => choiceOf(point, a) + '\n' + choiceOf(point, b))).size;
  const second = axes.slice(1).find((axis) => pairs(axes[0], axis) > Math.max(values(axes[0]).length, values(axis).length)) || axes[1];
  const down = select('Rows', options, axes[0], draw), across = select('Columns', options, second, draw);
  const metric = select('Value', metricOptions, objectives[0], draw);
  draw();
  return section('Heat map', 'The best value over everything else; the stronger the colour the better, on a logarithmic scale. Hover for the point.',
    el('div', {class: 'bar'}, down.field, across.field, metric.field), holder);
}

function parallelSection() {
  if (done.length < 2) return null;
  const columns = [...axes, ...new Set([...objectives, ...measured.filter((name) => name === 'utilization')])];
  const most = 400;
  const best = front(objectives), chosen = new Set(best);
  const others = done.filter((point) => !chosen.has(point));
  const step = Math.max(1, Math.ceil(others.length / most));
  const rows = [...others.filter((_, i) => i % step === 0), ...best];
  const positions = new Map(columns.map((column) => {
    if (axes.includes(column)) {
      const all = values(column);
      return [column, (point) => all.length > 1 ? all.indexOf(choiceOf(point, column)) / (all.length - 1) : 0.5];
    }
    const all = rows.map((point) => scaled(point, column)).filter((value) => value > 0).map(Math.log);
    const least = Math.min(...all), span = Math.max(...all) - least;
    return [column, (point) => span > 0 ? (Math.log(Math.max(1e-12, scaled(point, column))) - least) / span : 0.5];
  }));
  const title = (column) => axes.includes(column) ? axisName(column) : label(column);
  const show = (point, column) => axes.includes(column) ? choiceOf(point, column) : shown(point, column);
  const ends = (column) => {
    const at = positions.get(column);
    const low = rows.reduce((a, b) => at(b) < at(a) ? b : a), top = rows.reduce((a, b) => at(b) > at(a) ? b : a);
    return [low, top].map((point) => short(show(point, column), 14)).join(' – ');
  };
  const plot = chart('Parallel coordinates: one line per point', 'tall', () => ({
    type: 'line',
    data: {labels: columns.map((column) => [short(title(column), 22), ends(column)]), datasets: rows.map((point) => ({point, label: describe(point), data: columns.map((column) => positions.get(column)(point)),
      borderColor: chosen.has(point) ? colour('hue1') : colour('mute'), borderWidth: chosen.has(point) ? 1.6 : 0.5, pointRadius: chosen.has(point) ? 2 : 0, order: chosen.has(point) ? 0 : 1}))},
    options: {scales: {y: {display: false, min: -0.03, max: 1.03}, x: {grid: {color: colour('soft')}, ticks: {autoSkip: false, font: {size: 10}}}}, interaction: {mode: 'nearest', intersect: false},
      plugins: {legend: {display: false}, tooltip: {callbacks: {title: (items) => items[0].dataset.label, label: (item) => `${title(columns[item.dataIndex])}: ${show(item.dataset.point, columns[item.dataIndex])}`}}}},
  }));
  return section('All dimensions', `One line per point, low values at the bottom, lowest and highest under each axis; blue lines are beaten by none in ${objectives.map((name) => metrics[name][0]).join(', ')}.` + (step > 1 ? ` Of the others every ${step}th is drawn.` : ''), plot);
}

function bestSection() {
  const rows = objectives.flatMap((name) => [...done].sort((a, b) => better(name, scaled(a, name), scaled(b, name)) ? -1 : 1).slice(0, 3).map((point, place) => ({name, point, place})));
  const heads = ['best in', ...axes.map(axisName), ...objectives.map(label), 'checked by'];
  return section('Best configurations', 'The three best points of each objective.', el('div', {class: 'scroll'}, el('table', {},
    el('thead', {}, el('tr', {}, ...heads.map((title, i) => el('th', {class: i <= axes.length ? 'text' : '', scope: 'col'}, title)))),
    el('tbody', {}, ...rows.map(({name, point, place}) => el('tr', {}, el('td', {class: 'text'}, place === 0 ? metrics[name][0] : ''),
      ...axes.map((axis) => cell(choiceOf(point, axis), true)), ...objectives.map((metric) => el('td', {}, shown(point, metric))), el('td', {}, point.verified || '–')))))));
}

const best = new Set(front(objectives));
const columns = [
  {title: 'point', value: (point) => point.id, show: (point) => String(point.id)},
  ...axes.map((axis) => ({title: axisName(axis), text: true, value: (point) => { const value = choiceOf(point, axis); return value !== '' && !Number.isNaN(Number(value)) ? Number(value) : value; }, show: (point) => choiceOf(point, axis)})),
  ...measured.map((name) => ({title: label(name), hint: metrics[name][3], value: (point) => scaled(point, name), show: (point) => shown(point, name)})),
  {title: 'front', text: true, hint: 'beaten by no other point in the sweep’s objectives', value: (point) => best.has(point) ? 'yes' : 'no', show: (point) => best.has(point) ? 'yes' : ''},
  {title: 'checked by', text: true, hint: 'the engine that ran the point again and found the same cycles', value: (point) => point.verified || '', show: (point) => point.verified || ''},
];

show(
  heading(sweep.name || 'Sweep', [plural(points.length, 'point') + (axes.length ? ': ' : '') + axes.map((axis) => `${axisName(axis)} (${values(axis).length})`).join(', '),
    `objectives: ${objectives.map((name) => metrics[name][0]).join(', ')}`]),
  el('dl', {class: 'tiles'},
    tile('Points done', count(done.length), failed.length ? `${count(failed.length)} failed` : 'none failed'),
    tile('On the front', count(best.size), `${count([...best].filter((point) => point.verified).length)} checked by a second engine`),
    ...objectives.map((name) => { const top = done.reduce((a, b) => better(name, scaled(b, name), scaled(a, name)) ? b : a); return tile(`Best ${metrics[name][0]}`, `${shown(top, name)} ${metrics[name][1] === metrics[name][0] ? '' : metrics[name][1]}`); })),
  scatterSection(),
  bestSection(),
  heatSection(),
  parallelSection(),
  (() => { const s = section('Points', 'Click a column’s head to sort by it.', table('points', columns, done)); s.className = 'long'; return s; })(),
  failed.length ? section('Failed points', null, el('ul', {}, ...failed.slice(0, 200).map((point) => el('li', {}, `${describe(point)}: ${point.reason}`)))) : null,
  section('What the numbers mean', null, terms(measured.map((name) => [label(name), metrics[name][3]]))),
  section('The sweep', null, el('details', {}, el('summary', {}, 'Sweep file as used'), el('pre', {tabindex: '0'}, JSON.stringify(sweep, null, 2)))),
);
}
