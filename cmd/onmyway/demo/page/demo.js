import { open } from './socket.js';

const $ = id => document.getElementById(id);
const mostCards = 6, mostLive = 2;

// What the demo streams: regions with new HTML, which its own templates wrote, and values.
const put = {
  values: u => {
    const v = u.values;
    for (const e of document.querySelectorAll('[data-value]')) {
      if (e.textContent !== v[e.dataset.value]) e.textContent = v[e.dataset.value];
    }
    for (const e of document.querySelectorAll('[data-zero]')) e.classList.toggle('some', v[e.dataset.zero] !== '0');
    document.body.dataset.state = v.state;
    connection(v.conn, v.connWords);
    for (const id of ['pause', 'faster']) {
      const on = v[id === 'pause' ? 'paused' : 'fast'];
      $(id).setAttribute('aria-pressed', on);
      $(id).value = on === 'true' ? 'false' : 'true';
    }
    $('kill').disabled = v.state === 'down';
  },
  card: u => {
    const card = fragment(u.html), old = $(u.id);
    if (old) { old.replaceWith(card); return; }
    if (u.html.includes('class="fresh"')) $('flow').prepend(card); // else it has left the page already
    while ($('flow').children.length > mostCards) $('flow').lastElementChild.remove();
  },
  flow: u => $('flow').replaceChildren(fragment(u.html)),
  texts: u => $('texts').replaceChildren(fragment(u.html)),
  alerts: u => $('alerts').replaceChildren(fragment(u.html)),
  curl: u => $('curl').replaceChildren(fragment(u.html)),
  note: u => { $('note').replaceChildren(fragment(u.html)); $('note').dataset.kind = u.kind || ''; },
  said: u => { $('said').replaceChildren(fragment(u.html)); },
};

function fragment(html) {
  const t = document.createElement('template');
  t.innerHTML = html;
  return t.content;
}

function connection(state, words) {
  const e = $('conn');
  if (e.dataset.state !== state) e.dataset.state = state;
  if (e.textContent !== words) e.textContent = words;
}

const stream = new EventSource('/stream');
stream.onmessage = e => { const u = JSON.parse(e.data); put[u.region]?.(u); };
stream.onerror = () => connection('reconnecting', 'Reconnecting'); // the browser comes back by itself

// The buttons are forms, which work without script too.
for (const form of document.forms) {
  form.addEventListener('submit', e => {
    e.preventDefault();
    fetch(form.action, { method: 'POST', redirect: 'manual', body: new URLSearchParams(new FormData(form, e.submitter)) })
      .catch(() => connection('reconnecting', 'Reconnecting'));
  });
}

const copy = $('copy');
copy.hidden = !navigator.clipboard;
copy.addEventListener('click', async () => {
  const toast = $('toast');
  try {
    await navigator.clipboard.writeText($('curl').textContent);
    toast.lastElementChild.textContent = 'Copied. Paste it into a terminal.';
  } catch {
    getSelection().selectAllChildren($('curl'));
    toast.lastElementChild.textContent = 'Selected. Press Ctrl+C to copy.';
  }
  toast.hidden = false;
  setTimeout(() => { toast.hidden = true; }, 2500);
});

// The third phone is a live page of its own: a real socket to the service.
const live = { items: [], stages: {}, zone: 'UTC', etas: {} };
const ahead = ['The trip to your door', 'Handover at your door', ''];

const load = async () => {
  const answer = await fetch('/live');
  if (answer.status !== 200) throw new Error('the service is away');
  const place = await answer.json();
  live.stages = place.stages;
  live.zone = place.zone;
  live.items = place.items;
  draw();
  return place;
};

open({
  load,
  ready: load, // what came between the first load and the subscription
  heard: m => {
    if (live.items.some(i => i.id === m.id)) return false;
    if (live.items.length && live.items[0].order_id !== m.order_id) live.items = [];
    live.etas[m.id] = m.data?.eta;
    live.items.unshift({ id: m.id, order_id: m.order_id, stage: live.stages[m.milestone] ?? 0, title: m.title, body: m.body, at: m.occurred_at });
    live.items.length = Math.min(live.items.length, mostLive);
    draw(m.id);
    return document.visibilityState === 'visible';
  },
  state: s => { const e = $('live-conn'); e.dataset.state = s; e.textContent = s === 'live' ? 'Live' : 'Reconnecting'; },
});

function draw(fresh) {
  const top = live.items[0];
  if (!top) return;
  $('live-title').textContent = top.title;
  sign(top);
  [...$('live-lane').children].forEach((li, i) => {
    li.className = i < top.stage ? 'done' : i === top.stage ? 'now' : '';
    if (i === top.stage) li.setAttribute('aria-current', 'step'); else li.removeAttribute('aria-current');
  });
  const rows = live.items.map((m, i) => {
    const li = document.createElement('li'), when = document.createElement('span');
    when.className = 'muted';
    when.textContent = clock(m.at) + (i === 0 && Date.now() - Date.parse(m.at) < 60000 ? ', just now' : '');
    const title = document.createElement(i === 0 ? 'strong' : 'span');
    title.textContent = m.title;
    li.append(title, document.createElement('br'), when);
    if (m.id === fresh) li.className = 'fresh';
    return li;
  });
  if (ahead[top.stage]) {
    const li = document.createElement('li');
    li.className = 'ahead';
    li.textContent = ahead[top.stage];
    rows.push(li);
  }
  $('live-list').replaceChildren(...rows);
}

// The sign tells when the car arrives, where the event says so, else the words of the message.
function sign(m) {
  const eta = live.etas[m.id], p = $('live-body');
  if (!eta?.start) { p.textContent = m.body; return; }
  const strong = document.createElement('strong');
  strong.className = 'num';
  strong.textContent = format().formatRange(new Date(eta.start), new Date(eta.end));
  p.replaceChildren(live.stages && m.stage > 0 ? 'Arrives' : 'Expect us', strong);
}

function format() {
  return new Intl.DateTimeFormat('en-US', { timeZone: live.zone, hour: 'numeric', minute: '2-digit', timeZoneName: 'short' });
}

function clock(at) { return format().format(new Date(at)).replaceAll(' ', '\u00a0'); }
