// --- words ---

function duration(seconds) {
  if (seconds === null) return "";
  const milliseconds = Math.round(Math.max(seconds, 0) * 1000);
  if (milliseconds < 1) return "< 1 ms";
  if (milliseconds < 1000) return `${milliseconds} ms`;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const two = (number) => String(number).padStart(2, "0");
  if (whole < 3600) return `${Math.floor(whole / 60)} m ${two(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} m`;
}

/** The time that a running task shows: in tenths from the start, so that the digits don't flicker. */
function ticking(row, now) {
  const seconds = elapsed(row, now);
  const counting = seconds !== null && row.ended === null && seconds < 59.95;
  return counting ? `${Math.max(seconds, 0).toFixed(1)} s` : duration(seconds);
}

function number(count, one, many = `${one}s`) {
  return `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
}

/** How wide the longest name is, in digits: what names need no room for, notes have. */
function longest(tasks) {
  const width = (id) => [...id].reduce((sum, letter) => sum + (letter < "\u2e80" ? 1 : 2), 0);
  return Math.max(...tasks.map(({ id }) => width(id)));
}

/** Whether a task takes much longer than it usually does. */
function isSlow(seconds, usual) {
  return seconds !== null && usual !== undefined && seconds > 1.5 * usual && seconds > usual + 1;
}

/** Round times that divide a time line into at most `most` parts. */
function ticks(span, most) {
  const least = Math.max(span, 0.001) / most;
  const power = 10 ** Math.floor(Math.log10(least));
  const decimal = [1, 2, 5, 10].map((factor) => factor * power);
  const sexagesimal = [60, 120, 300, 600, 1800, 3600, 7200, 14400, 28800, 86400];
  const stride = (least > 30 ? sexagesimal : decimal).find((one) => one >= least) ?? least;
  return Array.from({ length: Math.floor(span / stride) }, (_, place) => (place + 1) * stride);
}

/** A time on the time line: short, as many stand side by side. */
function moment(seconds) {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${Number(seconds.toFixed(1))} s`;
  return seconds < 3600 ? `${Number((seconds / 60).toFixed(1))} m` : `${Number((seconds / 3600).toFixed(1))} h`;
}
