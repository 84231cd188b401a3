// The Centrifuge client protocol v2 in JSON, as far as a page needs it: connect with a token, hear publications, answer
// pings, come back when the connection ends. There is no history on the socket, so whoever uses it loads after each connect.

const first = 200, last = 5000; // ms to wait before coming back; doubles, and half of it is random

/**
 * open keeps a socket open until the page goes.
 * load answers {url, token} and is called before each connect; ready is called when the socket is subscribed; heard gets
 * the data of each publication and tells whether somebody can see it now, which the service is told then; state gets "live"
 * or "reconnecting".
 */
export function open({ load, ready, heard, state }) {
  let wait = first;
  const again = () => {
    state('reconnecting');
    setTimeout(visit, wait / 2 + Math.random() * wait / 2);
    wait = Math.min(wait * 2, last);
  };
  const visit = async () => {
    let place;
    try { place = await load(); } catch { again(); return; }
    const socket = new WebSocket(place.url);
    let quiet; // the service pings: when it does not, the connection is dead
    const alive = ping => {
      clearTimeout(quiet);
      if (ping) quiet = setTimeout(() => socket.close(), (ping + 10) * 1000);
    };
    let ping = 0, command = 1;
    const seen = id => socket.send(JSON.stringify({ id: ++command, rpc: { method: 'shown', data: { id } } }));
    socket.onopen = () => socket.send(JSON.stringify({ id: 1, connect: { token: place.token } }));
    socket.onmessage = async event => {
      alive(ping);
      for (const line of event.data.split('\n')) {
        if (line === '') continue;
        if (line === '{}') { socket.send('{}'); continue; }
        const reply = JSON.parse(line);
        if (reply.error && reply.id > 1) continue; // that something was seen is not worth a new connection
        if (reply.error) { socket.close(); return; }
        if (reply.connect) {
          ping = reply.connect.ping || 0;
          alive(ping);
          wait = first;
          try { await ready(); state('live'); } catch { socket.close(); return; }
        }
        if (reply.push?.pub && heard(reply.push.pub.data)) seen(reply.push.pub.data.id);
      }
    };
    socket.onclose = () => { alive(0); again(); };
  };
  visit();
}
