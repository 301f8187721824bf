// The recorded run: which process ran when, and which node believed what when. Times are whole ticks, as in the data.

const data = JSON.parse(byId("data").textContent);
const TICKS = data.ticksPerSecond;
const DURATION = Math.max(1, data.duration);
const STATUSES = data.beliefs.statuses;
const [UNKNOWN, ALIVE, SUSPECT, DEAD, LEFT] = STATUSES.keys();
const EVERYBODY = 65535;
const NOBODY = -1;

const groupOf = new Map(data.groups.flatMap(([group, keys]) => keys.map((key) => [key, group])));

// A node with its group, unless that is part of its name.
function labelled(key) {
  const group = groupOf.get(key);
  return group === undefined || key.startsWith(group) ? key : `${key} (${group})`;
}

function seconds(ticks, digits = 3) {
  return `${(ticks / TICKS).toFixed(digits)} s`;
}

// --- processes

const processes = data.processes.map(([lane, subject, began, ended, left]) => ({
  lane,
  subject,
  began,
  ended: ended < 0 ? Infinity : ended,
  left: left < 0 ? Infinity : left,
}));
const livesOf = data.keys.map(() => []);
for (const process of processes) livesOf[process.lane].push(process);

function processAt(lane, time) {
  return livesOf[lane].findLast((process) => process.began <= time && time < process.ended);
}

function isMember(process, time) {
  return process.began <= time && time < Math.min(process.ended, process.left);
}

function membersAt(time) {
  return processes.filter((process) => isMember(process, time)).length;
}

// Nodes that have ever run by this time, in the order of their latest ids.
function ringAt(time) {
  const ids = new Map();
  for (const [at, lane, id] of data.generations) if (at <= time) ids.set(lane, id);
  return [...ids].sort(([, one], [, other]) => (one < other ? -1 : 1)).map(([lane]) => lane);
}

// --- beliefs

const changes = (() => {
  const { times, observers, subjects, changed, since } = data.beliefs;
  let time = since;
  const absolute = Float64Array.from(times, (step) => (time += step));
  const statuses = Uint8Array.from(changed, Number);
  return { times: absolute, observers, subjects, statuses, count: absolute.length };
})();

function baseRow(observer) {
  const row = new Uint8Array(data.names.length);
  const runs = data.beliefs.base[observer] || [];
  for (let at = 0, place = 0; at < runs.length; at += 2) {
    row.fill(runs[at], place, place + runs[at + 1]);
    place += runs[at + 1];
  }
  return row;
}

const baseRows = data.keys.map((_, observer) => baseRow(observer));

// What one observer believed of all; a function of time.
function beliefsOf(observer) {
  const own = [];
  for (let at = 0; at < changes.count; at += 1) if (changes.observers[at] === observer) own.push(at);
  return (time) => {
    const row = baseRows[observer].slice();
    for (const at of own) {
      if (changes.times[at] > time) break;
      if (changes.subjects[at] === EVERYBODY) row.fill(UNKNOWN);
      else row[changes.subjects[at]] = changes.statuses[at];
    }
    return row;
  };
}

// What all observers believed of one subject: for each a list of [time, status].
function beliefsAbout(subject) {
  const lists = baseRows.map((row) => [[data.beliefs.since, row[subject]]]);
  for (let at = 0; at < changes.count; at += 1) {
    const about = changes.subjects[at];
    if (about === subject || about === EVERYBODY)
      lists[changes.observers[at]].push([changes.times[at], about === subject ? changes.statuses[at] : UNKNOWN]);
  }
  return lists;
}

function valueAt(list, time) {
  const place = placeAfter(list, time, (item) => item[0]);
  return place ? list[place - 1][1] : UNKNOWN;
}

// How many members each observer saw wrongly: for each a list of [time, number].
function wrongViews() {
  const rows = baseRows.map((row) => row.slice());
  const bearers = new Int32Array(data.names.length);
  const wrong = new Int32Array(rows.length);
  const lists = rows.map(() => []);
  const isLiving = (status) => status === ALIVE || status === SUSPECT;
  const set = (time, observer, number) => {
    wrong[observer] = number;
    const list = lists[observer];
    if (list.length && list[list.length - 1][0] === time) list[list.length - 1][1] = number;
    else list.push([time, number]);
  };
  const flips = [];
  for (const process of processes) {
    if (process.subject === NOBODY) continue;
    flips.push([process.began, 1, process.subject]);
    const until = Math.min(process.ended, process.left);
    if (until < Infinity) flips.push([until, -1, process.subject]);
  }
  flips.sort((one, other) => one[0] - other[0] || one[1] - other[1]);
  let next = 0;
  const since = data.beliefs.since;
  for (; next < flips.length && flips[next][0] <= since; next += 1) bearers[flips[next][2]] += flips[next][1];
  const recount = (time, observer) =>
    set(
      time,
      observer,
      rows[observer].reduce((sum, status, subject) => sum + (isLiving(status) !== bearers[subject] > 0), 0),
    );
  rows.forEach((_, observer) => recount(since, observer));
  const flip = ([time, by, subject]) => {
    const was = bearers[subject] > 0;
    bearers[subject] += by;
    const is = bearers[subject] > 0;
    if (was !== is)
      rows.forEach((row, observer) => set(time, observer, wrong[observer] + (isLiving(row[subject]) === is ? -1 : 1)));
  };
  for (let at = 0; at < changes.count; at += 1) {
    const time = changes.times[at];
    for (; next < flips.length && flips[next][0] <= time; next += 1) flip(flips[next]);
    const observer = changes.observers[at];
    const subject = changes.subjects[at];
    if (subject === EVERYBODY) {
      rows[observer].fill(UNKNOWN);
      recount(time, observer);
    } else {
      const was = isLiving(rows[observer][subject]);
      const is = isLiving(changes.statuses[at]);
      rows[observer][subject] = changes.statuses[at];
      if (was !== is) set(time, observer, wrong[observer] + (is === bearers[subject] > 0 ? -1 : 1));
    }
  }
  for (; next < flips.length; next += 1) flip(flips[next]);
  return lists;
}

// --- what happened, in words

const VERBS = ["forgets", "sees alive", "suspects", "holds dead", "knows left"];

function changeText(at) {
  const observer = data.keys[changes.observers[at]];
  const subject = changes.subjects[at];
  return subject === EVERYBODY
    ? `${observer} begins anew`
    : `${observer} ${VERBS[changes.statuses[at]]} ${data.names[subject]}`;
}

// Everything that happened, in order: [time, function that words it].
const happenings = (() => {
  const found = data.notes.map(([time, text]) => [time, () => text]);
  for (const process of processes) {
    const key = data.keys[process.lane];
    if (process.began > 0) found.push([process.began, () => `${key} starts`]);
    if (process.left < Infinity) found.push([process.left, () => `${key} says farewell`]);
    if (process.ended < Infinity) found.push([process.ended, () => `${key} stops`]);
  }
  for (let at = 0; at < changes.count; at += 1) {
    if (changes.subjects[at] !== EVERYBODY) found.push([changes.times[at], () => changeText(at)]);
  }
  return found.sort((one, other) => one[0] - other[0]);
})();

const news = data.news.map(([kind, name, at, heard, missing, points]) => ({
  kind,
  name,
  at,
  heard,
  all: heard + missing,
  points: Array.from({ length: points.length / 2 }, (_, place) => [points[2 * place], points[2 * place + 1]]),
}));

const NEWS_WORDS = {
  crash: "crash of",
  update: "update by",
  join: "join of",
  restart: "restart of",
  leave: "farewell of",
};

function newsText(piece) {
  return `${NEWS_WORDS[piece.kind]} ${piece.name}`;
}
