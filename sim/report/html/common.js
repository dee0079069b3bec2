// What pages of runs and of sweeps share: elements, numbers, themes, charts, tables. Text from the
// data only ever becomes text nodes, so no name can become markup.
'use strict';

// Characters that turn the direction of the text around them would let a name rearrange its line.
const data = JSON.parse(document.getElementById('data').textContent.replace(/[\u202a-\u202e\u2066-\u2069]/g, '\ufffd'));
const main = document.getElementById('main');

/** An element; attributes by name, children are elements or text. */
function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (value !== false && value !== undefined) node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

// Made once: a formatter for each of a million numbers takes seconds.
const whole = new Intl.NumberFormat('en-US', {maximumFractionDigits: 0});
const rounded = new Intl.NumberFormat('en-US', {maximumSignificantDigits: 4});
function count(value) { return value === null || value === undefined ? '–' : whole.format(value); }
function digits(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return '–';
  if (value !== 0 && (Math.abs(value) >= 1e12 || Math.abs(value) < 1e-3)) return value.toExponential(2);
  return rounded.format(value);
}
function plural(value, noun) { return `${count(value)} ${noun}${value === 1 ? '' : 's'}`; }
function short(text, most = 36) { return text.length > most ? text.slice(0, most - 1) + '…' : text; }
function percent(value) { return value === null || value === undefined ? '–' : (value * 100).toFixed(1) + ' %'; }
function bytes(value) {
  const units = ['B', 'KiB', 'MiB', 'GiB'];
  let unit = 0;
  for (; value >= 1024 && unit < 3; ++unit) value /= 1024;
  return digits(value) + ' ' + units[unit];
}
function energy(pj) {
  const units = [[1e9, 'mJ'], [1e6, 'µJ'], [1e3, 'nJ']];
  const [scale, unit] = units.find(([least]) => pj >= least) || [1, 'pJ'];
  return digits(pj / scale) + ' ' + unit;
}
function sum(values) { return values.reduce((total, value) => total + value, 0); }

// Themes: the reader's system first, then the button; paper is always light.
const root = document.documentElement;
const systemDark = window.matchMedia('(prefers-color-scheme: dark)');
let chosenTheme = null;
const redraws = [];
function colour(name) { return getComputedStyle(root).getPropertyValue('--' + name).trim(); }
function applyTheme(theme) {
  root.dataset.theme = theme;
  Chart.defaults.color = colour('soft');
  Chart.defaults.borderColor = colour('line');
  redraws.forEach((redraw) => redraw());
}
function currentTheme() { return chosenTheme || (systemDark.matches ? 'dark' : 'light'); }
systemDark.addEventListener('change', () => applyTheme(currentTheme()));
window.addEventListener('beforeprint', () => applyTheme('light'));
window.addEventListener('afterprint', () => applyTheme(currentTheme()));
const themeButton = el('button', {type: 'button', onclick: () => {
  chosenTheme = currentTheme() === 'dark' ? 'light' : 'dark';
  applyTheme(chosenTheme);
}}, 'Light / dark');

Chart.defaults.animation = false;
Chart.defaults.maintainAspectRatio = false;
Chart.defaults.font.family = 'system-ui, "DejaVu Sans", sans-serif';
Chart.defaults.plugins.legend.labels.boxWidth = 14;

/** A chart that is drawn anew when the theme changes. `configure` returns a Chart.js configuration. */
function chart(label, size, configure) {
  const canvas = el('canvas', {role: 'img', 'aria-label': label});
  const holder = el('div', {class: 'chart ' + size}, canvas);
  let drawn = null;
  const draw = () => {
    if (drawn) drawn.destroy();
    drawn = new Chart(canvas, configure());
    holder.chart = drawn;
  };
  redraws.push(draw);
  holder.redraw = draw;
  return holder;
}

function section(title, note, ...content) {
  return el('section', {}, el('h2', {}, title), note ? el('p', {class: 'note'}, note) : null, ...content);
}

function tile(term, value, detail) {
  return el('div', {class: 'tile'}, el('dt', {}, term), el('dd', {}, value),
            detail ? el('dd', {class: 'small'}, detail) : null);
}

/** A cell; text that may be cut off is shown whole by its title. */
function cell(value, isText) { return el('td', isText ? {class: 'text', title: value} : {}, value); }

/**
 * A table that sorts by any column and filters by text.
 * columns: {title, hint, text: is text, value: row => number or string, show: row => string}
 */
function table(caption, columns, rows, footer) {
  let sorted = null, descending = false;
  const body = el('tbody');
  const shown = el('span', {class: 'sub', role: 'status'});
  const filter = el('input', {type: 'search', placeholder: 'Filter rows', 'aria-label': 'Filter rows of ' + caption});
  const searched = rows.map((row) => ({row, text: columns.map((column) => column.show(row)).join(' ').toLowerCase()}));
  const heads = columns.map((column, i) => el('th', {class: column.text ? 'text' : '', scope: 'col', 'aria-sort': 'none'},
    el('button', {type: 'button', title: column.hint || column.title, onclick: () => {
      descending = sorted === i ? !descending : !column.text;
      sorted = i;
      fill();
    }}, column.title)));
  function fill() {
    const wanted = filter.value.trim().toLowerCase();
    let visible = searched.filter((entry) => entry.text.includes(wanted)).map((entry) => entry.row);
    if (sorted !== null) {
      const key = columns[sorted].value, sign = descending ? -1 : 1;
      visible = [...visible].sort((a, b) => {
        const x = key(a), y = key(b);
        return sign * (typeof x === 'string' ? x.localeCompare(y) : (x ?? -Infinity) - (y ?? -Infinity));
      });
    }
    heads.forEach((head, i) => head.setAttribute('aria-sort', sorted !== i ? 'none' : descending ? 'descending' : 'ascending'));
    const most = 2000;
    body.replaceChildren(...visible.slice(0, most).map((row) => el('tr', {},
      ...columns.map((column) => cell(column.show(row), column.text)))));
    shown.textContent = visible.length > most ? `first ${count(most)} of ${count(visible.length)} rows`
      : `${count(visible.length)} of ${count(rows.length)} rows`;
  }
  filter.addEventListener('input', fill);
  fill();
  return el('div', {}, el('div', {class: 'bar'}, filter, shown),
    el('div', {class: 'scroll', tabindex: '0', role: 'region', 'aria-label': caption},
      el('table', {}, el('thead', {}, el('tr', {}, ...heads)), body,
        footer ? el('tfoot', {}, el('tr', {}, ...footer.map((text, i) => el('td', {class: columns[i].text ? 'text' : ''}, text)))) : null)));
}

function terms(entries) {
  return el('dl', {class: 'terms'}, ...entries.flatMap(([term, meaning]) => [el('dt', {}, term), el('dd', {}, meaning)]));
}

function heading(title, lines) {
  document.title = title + ' – Bitpulse';
  return el('div', {class: 'top'},
    el('div', {}, el('h1', {}, title), ...lines.map((line) => el('div', {class: 'sub'}, line))), themeButton);
}

/** Puts the sections on the page and draws the charts. */
function show(...sections) {
  main.replaceChildren(...sections.filter(Boolean));
  applyTheme(currentTheme());
}
