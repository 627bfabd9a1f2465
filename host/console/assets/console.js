// What pages of the console do besides being pages. Each part stands alone, and every page works without all of them.

/** Times are shown in the zone of the browser: the host learns it by a cookie, and from the next page on. */
function tellZone() {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!zone || document.cookie.includes(`berth_zone=${encodeURIComponent(zone)}`)) return;
  document.cookie = `berth_zone=${encodeURIComponent(zone)}; Path=/ui; Max-Age=31536000; SameSite=Lax`;
}

/** Says one sentence to whoever cannot see that the page has changed. */
function say(text) {
  const heard = document.getElementById("heard");
  if (heard) heard.textContent = text;
}

/** Whoever types goes on at what a form was refused for, and not at the top of the page. */
function goToRefusal() {
  document.querySelector("main [role=alert][tabindex]")?.focus();
}

/** A button with `data-copy` copies the text of the element that it names. */
function copyOnClick() {
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button[data-copy]");
    if (!button) return;
    const source = document.getElementById(button.dataset.copy);
    await navigator.clipboard.writeText(source.value ?? source.textContent.trim());
    const name = button.textContent;
    button.textContent = button.dataset.done;
    setTimeout(() => { button.textContent = name; }, 2000);
  });
  document.querySelectorAll("button[data-copy]").forEach((button) => { button.hidden = false; });
}

/** Ctrl-K or ⌘K leads to the search. A key alone would get in the way of who speaks to the computer (WCAG 2.1.4). */
function keys() {
  document.addEventListener("keydown", (event) => {
    if (event.key !== "k" || event.altKey || event.shiftKey || event.ctrlKey === event.metaKey) return;
    const search = document.getElementById("q");
    if (!search) return;
    event.preventDefault();
    search.focus();
  });
}

/** The policy by which text of our own host becomes a document. */
const pages = globalThis.trustedTypes?.createPolicy("berth", { createHTML: (text) => text });

/** Fetches the page anew and replaces the regions marked by `data-region` that have changed. */
async function renew() {
  const response = await fetch(location.href, { headers: { accept: "text/html" } });
  if (!response.ok || response.redirected) return;
  const text = await response.text();
  const fresh = new DOMParser().parseFromString(pages ? pages.createHTML(text) : text, "text/html");
  let changed = false;
  for (const region of document.querySelectorAll("[data-region]")) {
    const now = fresh.getElementById(region.id);
    if (!now || now.innerHTML === region.innerHTML || region.contains(document.activeElement)) continue;
    const open = [...region.querySelectorAll("details")].map((one) => one.open);
    region.replaceChildren(...now.childNodes);
    region.querySelectorAll("details").forEach((one, at) => { one.open ||= open[at] ?? false; });
    changed = true;
  }
  if (changed) say(document.body.dataset.updated);
}

/** Follows the events of what the page shows, as long as somebody looks at it. */
function follow() {
  const address = document.body.dataset.live;
  if (!address) return;
  let source, timer;
  const soon = () => { clearTimeout(timer); timer = setTimeout(renew, 400); };
  const start = () => {
    if (source || document.hidden) return;
    source = new EventSource(address);
    // What happened since the page was made, or while the connection was broken, is told by no event.
    source.onopen = soon;
    source.onmessage = soon;
  };
  const stop = () => { source?.close(); source = undefined; };
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) { stop(); } else { start(); soon(); }
  });
  start();
}

/** How many entries a list that grows by itself holds at most. */
const MOST = 500;

/** A list with `data-stream` shows what arrives above what is there, as long as somebody looks at it and has not paused it. */
function stream() {
  const list = document.querySelector("[data-stream]");
  if (!list) return;
  const button = document.querySelector("button[data-pause]");
  let source, timer, last = list.dataset.after, waiting = [], isPaused = false;
  const show = () => {
    timer = undefined;
    const text = waiting.reverse().join("");
    waiting = [];
    list.insertAdjacentHTML("afterbegin", pages ? pages.createHTML(text) : text);
    if (list.children.length <= MOST) return;
    while (list.children.length > MOST) list.lastElementChild.remove();
    // The link goes on below what was there at first, which is not at the end any more.
    document.querySelector("a[rel=next]")?.remove();
  };
  const hear = (event) => {
    last = event.lastEventId;
    waiting.push(event.data);
    if (waiting.length > MOST) waiting.shift();
    timer ??= setTimeout(show, 300);
  };
  const start = () => {
    if (source || isPaused || document.hidden) return;
    const address = new URL(list.dataset.stream, location.href);
    address.searchParams.set("after", last);
    source = new EventSource(address);
    source.onmessage = hear;
  };
  const stop = () => { source?.close(); source = undefined; };
  const turn = () => { if (isPaused || document.hidden) stop(); else start(); };
  document.addEventListener("visibilitychange", turn);
  button.hidden = false;
  button.addEventListener("click", () => {
    isPaused = !isPaused;
    const name = button.textContent;
    button.textContent = button.dataset.pause;
    button.dataset.pause = name;
    turn();
  });
  start();
}

/** Says what the request before this page has heard. */
function sayWhatWasHeard() {
  const said = sessionStorage.getItem("said");
  sessionStorage.removeItem("said");
  const flash = document.getElementById("flash");
  if (said && flash) flash.textContent = said;
}

/** A form with `data-upload` shows how far its file has come. The file may be dropped on it. */
function showUpload() {
  const form = document.querySelector("form[data-upload]");
  if (!form) return;
  const bar = form.querySelector("progress"), area = form.querySelector(".drop"), file = area.querySelector("input[type=file]");
  area.addEventListener("dragover", (event) => { event.preventDefault(); area.classList.add("over"); });
  area.addEventListener("dragleave", () => area.classList.remove("over"));
  area.addEventListener("drop", (event) => {
    event.preventDefault();
    area.classList.remove("over");
    file.files = event.dataTransfer.files;
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.upload.addEventListener("progress", (at) => {
      bar.hidden = false;
      bar.max = at.total;
      bar.value = at.loaded;
    });
    request.addEventListener("load", () => {
      const text = request.responseText;
      const page = new DOMParser().parseFromString(pages ? pages.createHTML(text) : text, "text/html");
      if (request.responseURL !== form.action) {
        // What was done is said once, and was said to this request.
        sessionStorage.setItem("said", page.getElementById("flash").textContent);
        location.assign(request.responseURL);
        return;
      }
      document.getElementById("content").replaceWith(page.getElementById("content"));
      document.querySelector("[role=alert], h1")?.scrollIntoView();
      goToRefusal();
      showUpload();
    });
    request.addEventListener("error", () => { form.submit(); });
    request.send(new FormData(form));
  });
}

tellZone();
goToRefusal();
copyOnClick();
keys();
follow();
stream();
sayWhatWasHeard();
showUpload();
