// The page of one run.
'use strict';
{
const report = data.report, totals = report.totals, layers = report.layers, machine = report.effective.machine;
const names = layers.map((layer) => layer.name);
const shortNames = names.map((name) => short(name, 24));

// Parts of a layer's cycles, from the array's side. Together they are the layer's cycles: while the layers before
// it run, its first command may wait already (behind a pool of the vector unit, say), and that is left out.
function wait(layer, unit) {
  const waits = layer.stall_cycles['array.dma'] + layer.stall_cycles['array.vector'];
  return layer.stall_cycles['array.' + unit] * Math.min(1, (layer.cycles - layer.array_cycles) / Math.max(1, waits));
}
const parts = [
  ['streaming', 'hue1', (layer) => layer.stream_cycles],
  ['fill and drain', 'hue6', (layer) => layer.array_cycles - layer.stream_cycles],
  ['waits for memory', 'hue3', (layer) => wait(layer, 'dma')],
  ['waits for vector unit', 'hue2', (layer) => wait(layer, 'vector')],
  ['array has no work', 'mute', (layer) => Math.max(0, Math.round(layer.cycles - layer.array_cycles - wait(layer, 'dma') - wait(layer, 'vector')))],
];
const componentColours = ['hue1', 'hue2', 'hue3', 'hue4', 'hue5', 'hue6', 'hue7', 'hue8', 'hue9'];
const components = Object.keys(totals.energy_pj).filter((name) => name !== 'total')
  .sort((a, b) => totals.energy_pj[b] - totals.energy_pj[a]);

function widths(layer) {
  if (!layer.macs) return '';
  const weights = Array.isArray(layer.weight_bits) ? layer.weight_bits.map(([bits]) => bits).join('+') : layer.weight_bits;
  return `${layer.act_bits}/${weights}`;
}
/** Mean over channels where widths differ. */
function weightBits(layer) {
  if (!Array.isArray(layer.weight_bits)) return layer.weight_bits;
  return sum(layer.weight_bits.map(([bits, channels]) => bits * channels)) / sum(layer.weight_bits.map(([, channels]) => channels));
}
function traffic(layer) { return layer.dram_read_bytes + layer.dram_write_bytes; }

function perLayer(label, datasets, options = {}) {
  return {
    type: 'bar',
    data: {labels: shortNames, datasets},
    options: {
      scales: {
        x: {stacked: true, ticks: {autoSkip: names.length > 60, maxRotation: 75, minRotation: names.length > 12 ? 60 : 0, font: {size: 10}}, grid: {display: false}},
        y: {stacked: true, beginAtZero: true, title: {display: true, text: label}, ...options.y},
      },
      interaction: {mode: 'index', intersect: false},
      plugins: {tooltip: {filter: (item) => item.raw > 0, callbacks: {title: (items) => items.length ? names[items[0].dataIndex] : '', label: (item) => `${item.dataset.label}: ${(options.show || digits)(item.raw)}`}}, legend: {display: datasets.length > 1}},
    },
  };
}

let asShare = false;
const cycles = chart('Cycles of each layer, split in streaming, fill and drain, and waiting', '', () =>
  perLayer(asShare ? 'share of the layer’s cycles (%)' : 'cycles', parts.map(([label, hue, part]) => ({
    label, backgroundColor: colour(hue),
    data: layers.map((layer) => asShare ? (layer.cycles ? 100 * part(layer) / layer.cycles : 0) : part(layer)),
  })), {y: asShare ? {max: 100} : {}, show: (value) => asShare ? value.toFixed(1) + ' %' : count(value)}));
const shareButton = el('button', {type: 'button', 'aria-pressed': 'false', onclick: () => {
  asShare = !asShare;
  shareButton.setAttribute('aria-pressed', asShare);
  shareButton.textContent = asShare ? 'Show cycles' : 'Show shares';
  cycles.redraw();
}}, 'Show shares');

// Roofline: what a layer reaches against the memory's slope and the array's ceiling. The peak of a
// layer at its widths follows from its utilization.
const gemms = layers.filter((layer) => layer.macs > 0 && layer.utilization > 0 && traffic(layer) > 0);
const peaks = new Map();
for (const layer of gemms) {
  const key = widths(layer);
  peaks.set(key, Math.max(peaks.get(key) || 0, layer.macs / layer.cycles / layer.utilization));
}
const bandwidth = totals.dram_peak_bytes_per_cycle;
const roofline = chart('Roofline: MACs per cycle against MACs per DRAM byte', 'tall', () => {
  const points = gemms.map((layer) => ({x: layer.macs / traffic(layer), y: layer.macs / layer.cycles, layer}));
  const kinds = [...new Set(points.map((point) => widths(point.layer)))];
  const low = Math.min(...points.map((point) => point.x)) / 2, high = Math.max(...points.map((point) => point.x)) * 2;
  const roofs = [...new Set([...peaks.values()].map((peak) => Math.round(peak)))].map((peak) => ({
    label: `array's peak ${count(peak)} MACs/cycle`, type: 'line', pointRadius: 0, borderDash: [6, 4], borderWidth: 1.5,
    borderColor: colour('soft'), data: [{x: Math.max(low, peak / bandwidth), y: peak}, {x: Math.max(high, peak / bandwidth * 2), y: peak}],
  }));
  const top = Math.max(...peaks.values());
  return {
    type: 'scatter',
    data: {datasets: [
      ...kinds.map((kind, i) => ({label: `layers at ${kind} bits`, backgroundColor: colour(componentColours[i % 9]), pointRadius: 5, pointHoverRadius: 7, data: points.filter((point) => widths(point.layer) === kind)})),
      {label: `DRAM, ${digits(bandwidth)} bytes/cycle`, type: 'line', pointRadius: 0, borderWidth: 1.5, borderColor: colour('hue3'), data: [{x: low, y: low * bandwidth}, {x: top / bandwidth, y: top}]},
      ...roofs]},
    options: {
      scales: {x: {type: 'logarithmic', ticks: {maxRotation: 0}, title: {display: true, text: 'arithmetic intensity (MACs per byte of DRAM traffic)'}},
               y: {type: 'logarithmic', title: {display: true, text: 'MACs per cycle'}}},
      plugins: {tooltip: {callbacks: {label: (item) => item.raw.layer
        ? `${item.raw.layer.name}: ${digits(item.raw.y)} MACs/cycle, ${digits(item.raw.x)} MACs/byte` : item.dataset.label}}},
    },
  };
});

const utilization = chart('Utilization of the array in each layer', '', () => perLayer('percent of peak', [
  {label: 'over all cycles', backgroundColor: colour('hue1'), data: layers.map((layer) => 100 * layer.utilization), stack: 'a'},
  {label: 'while the array is busy', backgroundColor: colour('mute'), data: layers.map((layer) => 100 * layer.array_utilization), stack: 'b'},
], {y: {max: 100}, show: (value) => value.toFixed(1) + ' %'}));

const quality = data.compare ? new Map(data.compare.map((entry) => [entry.layer, entry])) : null;
const bits = chart('Bits of activations and weights in each layer', '', () => {
  const configuration = perLayer('bits', [
    {label: 'activations', backgroundColor: colour('hue2'), data: layers.map((layer) => layer.macs ? layer.act_bits : 0), stack: 'a'},
    {label: 'weights (mean over channels)', backgroundColor: colour('hue5'), data: layers.map((layer) => layer.macs ? weightBits(layer) : 0), stack: 'b'},
  ]);
  if (quality) {
    configuration.data.datasets.push({label: 'SQNR of the outputs (dB, right axis)', type: 'line', yAxisID: 'db', spanGaps: true,
      borderColor: colour('hue3'), backgroundColor: colour('hue3'), data: layers.map((layer) => quality.get(layer.name)?.sqnr_db ?? null)});
    configuration.options.scales.db = {position: 'right', title: {display: true, text: 'dB'}, grid: {display: false}};
  }
  return configuration;
});

const energyChart = chart('Energy of each layer by component', '', () => perLayer('µJ', components.map((name, i) => ({
  label: name.replace('_', ' '), backgroundColor: colour(componentColours[i % 9]), data: layers.map((layer) => layer.energy_pj[name] / 1e6),
}))));
const energyTable = el('table', {}, el('thead', {}, el('tr', {}, ...['component', 'energy', 'share', 'area', 'share'].map((title, i) => el('th', {class: i ? '' : 'text'}, title)))),
  el('tbody', {}, ...[...new Set([...components, ...Object.keys(totals.area_um2).filter((name) => name !== 'total')])].map((name) => el('tr', {},
    el('td', {class: 'text'}, name.replace('_', ' ')),
    el('td', {}, totals.energy_pj[name] === undefined ? '–' : energy(totals.energy_pj[name])),
    el('td', {}, totals.energy_pj[name] === undefined ? '–' : percent(totals.energy_pj[name] / totals.energy_pj.total)),
    el('td', {}, totals.area_um2[name] === undefined ? '–' : digits(totals.area_um2[name] / 1e6) + ' mm²'),
    el('td', {}, totals.area_um2[name] === undefined ? '–' : percent(totals.area_um2[name] / totals.area_um2.total))))));

const kept = (layer) => layer.kept_on_chip ?? [];  // reports from before have none
const columns = [
  {title: 'layer', text: true, value: (layer) => layers.indexOf(layer), show: (layer) => layer.name, hint: 'name; sorts in the network’s order'},
  {title: 'kind', text: true, value: (layer) => layer.kind, show: (layer) => layer.kind},
  {title: 'a/w', value: (layer) => layer.act_bits * 100 + weightBits(layer), show: widths, hint: 'bits of activations and weights'},
  {title: 'M × K × N', value: (layer) => layer.m * layer.k * layer.n, show: (layer) => layer.macs ? `${layer.m} × ${layer.k} × ${layer.n}${layer.groups > 1 ? ' × ' + layer.groups : ''}` : '', hint: 'output pixels, products per output, output channels (per group), groups'},
  {title: 'MACs', value: (layer) => layer.macs, show: (layer) => count(layer.macs), hint: 'multiply-accumulates, padding included'},
  {title: 'cycles', value: (layer) => layer.cycles, show: (layer) => count(layer.cycles)},
  {title: 'util', value: (layer) => layer.utilization, show: (layer) => layer.macs ? percent(layer.utilization) : '', hint: 'share of the array’s peak over all cycles'},
  {title: 'waits', value: (layer) => layer.stall_cycles['array.dma'] + layer.stall_cycles['array.vector'], show: (layer) => count(layer.stall_cycles['array.dma'] + layer.stall_cycles['array.vector']), hint: 'cycles the array waited for memory or the vector unit'},
  {title: 'DRAM', value: traffic, show: (layer) => bytes(traffic(layer)), hint: 'read and written'},
  {title: 'energy', value: (layer) => layer.energy_pj.total, show: (layer) => energy(layer.energy_pj.total)},
  {title: 'overflows', value: (layer) => layer.overflow.intermediate, show: (layer) => count(layer.overflow.intermediate), hint: 'additions whose exact result left the accumulator; – where the engine computes no values'},
  {title: 'tiling', text: true, value: (layer) => layer.tiling, show: (layer) => layer.tiling},
  {title: 'kept', text: true, value: (layer) => kept(layer).length, show: (layer) => kept(layer).join(', '), hint: 'tensors it stores that stay on chip for their readers'},
];
const layerTable = table('layers', columns, layers, ['total', '', '', '', count(totals.macs), count(totals.cycles), percent(totals.utilization),
  count(totals.stall_cycles['array.dma'] + totals.stall_cycles['array.vector']), bytes(traffic(totals)), energy(totals.energy_pj.total), count(totals.overflow.intermediate), '', '']);

// Timeline: slices of the units, thinned to what a screen can show, and how full the buffers are.
function timelineSection() {
  const trace = data.timeline;
  if (!trace) return section('Timeline', 'Not recorded. Run with --timeline, and make this page from the same folder.');
  const units = ['dma', 'array', 'vector'];
  const hues = ['hue3', 'hue1', 'hue2'];
  const end = trace.cycles;
  let from = 0, to = end;
  const visible = () => {
    const least = (to - from) / 1500;
    return units.map((unit, u) => {
      const bars = [];
      for (const [start, length, layer, name] of trace.slices[u]) {
        if (start + length < from || start > to) continue;
        const last = bars[bars.length - 1];
        if (last && start - last.x[1] < least && (length < least || last.x[1] - last.x[0] < least)) {  // one bar for what no pixel tells apart
          last.x[1] = start + length;
          ++last.commands;
        } else {
          bars.push({x: [start, start + length], y: unit, layer, name, commands: 1});
        }
      }
      return {label: unit, data: bars, backgroundColor: colour(hues[u]), borderColor: colour('card'), borderWidth: {left: 1}, borderSkipped: false, grouped: false, barPercentage: 0.9, categoryPercentage: 0.9, minBarLength: 1};
    });
  };
  const axis = () => ({type: 'linear', min: from, max: to, ticks: {maxRotation: 0, callback: (value) => count(value)}});
  const slices = chart('Timeline of the DMA, array and vector units', 'low', () => ({
    type: 'bar',
    data: {labels: units, datasets: visible()},
    options: {
      indexAxis: 'y', parsing: true,
      scales: {x: {...axis(), position: 'top'}, y: {stacked: false, grid: {display: false}, afterFit: (scale) => { scale.width = 64; }}},
      interaction: {mode: 'nearest', intersect: true},
      plugins: {legend: {display: false}, tooltip: {callbacks: {
        title: (items) => items[0].raw.commands > 1 ? `${items[0].raw.commands} commands, from ${names[items[0].raw.layer] ?? '?'}` : `${trace.names[items[0].raw.name]}, ${names[items[0].raw.layer] ?? '?'}`,
        label: (item) => `cycles ${count(item.raw.x[0])} to ${count(item.raw.x[1])} (${count(item.raw.x[1] - item.raw.x[0])})`}}},
    },
  }));
  const counters = Object.keys(trace.counters).filter((name) => name.endsWith('buffer'));
  const occupancy = chart('Filling of the buffers over time', 'low', () => ({
    type: 'line',
    data: {datasets: counters.map((name, i) => ({label: name + ' (KiB)', data: trace.counters[name].map(([x, y]) => ({x, y})), stepped: true, pointRadius: 0, borderWidth: 1.5, borderColor: colour(componentColours[i]), backgroundColor: colour(componentColours[i])}))},
    options: {parsing: false, scales: {x: {...axis(), title: {display: true, text: 'cycle'}}, y: {beginAtZero: true, title: {display: true, text: 'KiB'}, afterFit: (scale) => { scale.width = 64; }}},
      interaction: {mode: 'nearest', axis: 'x', intersect: false}},
  }));
  const range = el('span', {class: 'sub', role: 'status'});
  function look(a, b) {
    const width = Math.min(end, Math.max(20, b - a));
    from = Math.max(0, Math.min(end - width, Math.round(a)));
    to = from + Math.round(width);
    range.textContent = `cycles ${count(from)} to ${count(to)} of ${count(end)}`;
    if (slices.chart) { slices.redraw(); occupancy.redraw(); }
  }
  const zoom = (factor, at = (from + to) / 2) => look(at - (at - from) * factor, at + (to - at) * factor);
  const pan = (share) => look(from + (to - from) * share, to + (to - from) * share);
  const keys = {ArrowLeft: () => pan(-0.2), ArrowRight: () => pan(0.2), '+': () => zoom(0.5), '=': () => zoom(0.5), '-': () => zoom(2), 0: () => look(0, end), Home: () => look(0, end)};
  const frame = el('div', {tabindex: '0', role: 'group', 'aria-label': 'Timeline; arrow keys move, plus and minus zoom, 0 shows all',
    onkeydown: (event) => { if (keys[event.key]) { keys[event.key](); event.preventDefault(); } }}, slices, occupancy);
  slices.addEventListener('wheel', (event) => {
    if (!event.ctrlKey && !event.shiftKey) return;  // plain scrolling belongs to the page
    const area = slices.chart.chartArea;
    const at = from + (to - from) * Math.min(1, Math.max(0, (event.offsetX - area.left) / area.width));
    zoom(event.deltaY + event.deltaX > 0 ? 1.25 : 0.8, at);
    event.preventDefault();
  }, {passive: false});
  const layerStarts = [];
  layers.reduce((start, layer) => { layerStarts.push(start); return start + layer.cycles; }, 0);
  const jump = el('select', {'aria-label': 'Show one layer', onchange: () => {
    const i = Number(jump.value);
    if (i < 0) look(0, end); else look(layerStarts[i], layerStarts[i] + layers[i].cycles);
  }}, el('option', {value: '-1'}, 'whole run'), ...names.map((name, i) => el('option', {value: i}, name)));
  const button = (text, label, action) => el('button', {type: 'button', 'aria-label': label, onclick: action}, text);
  look(0, end);
  const cut = trace.shown < trace.commands ? ` Only the first ${count(trace.shown)} of ${count(trace.commands)} commands were recorded.` : '';
  return section('Timeline', 'What each unit does when, and how full the buffers are. Hover for a command; buttons, the arrow, plus and minus keys, or Ctrl and the wheel zoom.' + cut,
    el('div', {class: 'bar'}, button('−', 'Zoom out', () => zoom(2)), button('+', 'Zoom in', () => zoom(0.5)), button('◀', 'Earlier', () => pan(-0.5)), button('▶', 'Later', () => pan(0.5)), button('All', 'Show all', () => look(0, end)), jump, range), frame);
}

/** What each layer would lose and cost at each width it could have had; null where bits were given. */
function allocationSection() {
  const allocation = report.allocation;
  if (!allocation) return null;
  const widths = (option) => `${option.weights}/${option.activations}`;
  const options = allocation.layers.find((layer) => layer.may_choose)?.options ?? [];
  const cost = allocation.budgets.length > 2 ? ['latency_ms', 'µs', 1e3] : ['size_mib', 'KiB', 1024];
  const heads = ['layer', 'chosen w/a', 'average trace', ...options.map((option) => `loss at ${widths(option)}`), ...options.map((option) => `${cost[1]} at ${widths(option)}`)];
  const cells = (layer) => layer.may_choose
    ? [...layer.options.map((option) => digits(option.loss)), ...layer.options.map((option) => digits(option[cost[0]] * cost[2]))]
    : ['fixed', ...Array(2 * options.length - 1).fill('')];
  const budgets = allocation.budgets.filter((budget) => budget.limit !== null)
    .map((budget) => `${budget.name} ${digits(budget.simulated)} of ${digits(budget.limit)} ${budget.unit}`).join(', ');
  return section('Why these bits', `Chosen by HAWQ-V3’s integer program: the least total loss (average Hessian trace times squared error of the weights) within the budget of ${budgets}. Costs are of the layer at that width, its readers at their widest.`,
    el('div', {class: 'scroll'}, el('table', {},
      el('thead', {}, el('tr', {}, ...heads.map((title, i) => el('th', {class: i ? '' : 'text'}, title)))),
      el('tbody', {}, ...allocation.layers.map((layer) => el('tr', {},
        ...[layer.name, widths(layer), layer.may_choose ? digits(layer.trace) : '', ...cells(layer)].map((text, i) => el('td', {class: i ? '' : 'text'}, text))))))));
}

const accuracy = report.accuracy;
const stalled = totals.stall_cycles['array.dma'] + totals.stall_cycles['array.vector'];
const warnings = report.technology.extrapolated;
show(
  heading(report.effective.workload.name || report.effective.workload.network, [
    `on ${machine.name}: ${machine.array.rows} × ${machine.array.cols} PEs ${machine.array.pe}, ${machine.array.dataflow}, ${machine.clock_mhz} MHz, ${machine.array.acc_bits}-bit sums`,
    `engine ${report.engine}, batch ${report.effective.workload.batch}, seed ${report.seed}; Bitpulse ${report.bitpulse.version} (${report.bitpulse.commit})`]),
  el('dl', {class: 'tiles'},
    tile('Cycles', count(totals.cycles), digits(totals.time_ms) + ' ms'),
    tile('Throughput', digits(totals.gops) + ' GOP/s', '2 operations per MAC'),
    tile('Utilization', percent(totals.utilization), percent(totals.array_utilization) + ' while the array is busy'),
    tile('Array waits', count(stalled), percent(stalled / totals.cycles) + ' of all cycles'),
    tile('DRAM traffic', bytes(traffic(totals)), `${bytes(totals.dram_read_bytes)} read, ${bytes(totals.dram_write_bytes)} written`),
    tile('Energy', energy(totals.energy_pj.total), `${digits(totals.energy_pj.total / Math.max(1, totals.macs))} pJ per MAC`),
    tile('Area', digits(totals.area_um2.total / 1e6) + ' mm²', report.technology.node),
    accuracy ? tile('Top-1, integers', percent(accuracy.integer_top1), `float ${percent(accuracy.float_top1)}, ${count(accuracy.images)} images`)
      : tile('MACs', count(totals.macs), `${layers.length} layers`)),
  section('Where the cycles go', 'Each layer’s cycles as the array sees them. Streaming: operands enter and products are made. Fill and drain: weights are preloaded or results leave, and nothing new enters. No work: other units have the rest of the layer.',
    el('div', {class: 'bar'}, shareButton), cycles),
  timelineSection(),
  el('div', {class: 'pair'},
    section('Roofline', 'A layer below the sloped line waits for DRAM, one below a level line leaves PEs idle.', roofline),
    section('Utilization', 'Products computed, over products the PEs could compute at the layer’s bit widths.', utilization)),
  el('div', {class: 'pair'},
    section('Energy', `By component, in ${report.technology.node}; leakage and clock count every cycle.`, energyChart),
    section(quality ? 'Bits and accuracy' : 'Bits', quality ? 'Bit widths, and how close each layer’s integers are to the float network (higher is better).' : 'Bit widths of each layer. Give --eval the output of bitpulse eval --compare-layers --json to see SQNR here.', bits)),
  allocationSection(),
  section('Energy and area', null, el('div', {class: 'scroll'}, energyTable),
    warnings.length ? el('div', {class: 'warn note'}, el('p', {}, 'Used beyond its source:'), el('ul', {}, ...warnings.map((text) => el('li', {}, text)))) : null),
  (() => { const s = section('Layers', 'Click a column’s head to sort by it.', layerTable); s.className = 'long'; return s; })(),
  section('What the numbers mean', null, terms([
    ['cycles', 'clock cycles; a layer’s run from the last finish of the layers before it to its own, so they sum to the total'],
    ['utilization', 'share of the products that all PEs could compute at the layer’s bit widths in its cycles'],
    ['waits', 'cycles in which the array’s next command is held up by memory (DMA) or the vector unit'],
    ['MACs', 'multiply-accumulates with padding; one MAC counts as two operations in GOP/s'],
    ['DRAM traffic', 'bytes read and written, partial bytes of a run as whole ones'],
    ['energy', 'action counts times the technology’s energies; DRAM as activates plus bits'],
    ['overflow', 'additions whose exact result does not fit the accumulator; they wrap or saturate as the machine says']])),
  section('Where this comes from', null, el('p', {}, el('code', {}, report.command)),
    el('div', {class: 'scroll'}, el('table', {}, el('thead', {}, el('tr', {}, el('th', {class: 'text'}, 'input'), el('th', {class: 'text'}, 'SHA-256'))),
      el('tbody', {}, ...report.inputs.map((input) => el('tr', {}, cell(input.path, true), el('td', {class: 'text'}, el('code', {}, input.sha256.slice(0, 16) + '…'))))))),
    el('details', {}, el('summary', {}, 'Sources of the technology file'), el('ul', {}, ...report.technology.sources.map((text) => el('li', {}, text)))),
    el('details', {}, el('summary', {}, 'Workload and machine as used'), el('pre', {tabindex: '0'}, JSON.stringify(report.effective, null, 2)))),
);
}
