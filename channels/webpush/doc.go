// Package webpush hands messages to the push services of browsers (RFC 8030, 8291, 8292): it is the channel "push".
//
// A message's address is the id of a subscription. Send looks the subscription up, writes the payload, lets the library
// encrypt it for that one browser, posts it through outhttp to the endpoint that the browser named, and reads from the
// status what became of it. The TTL is what is left of the message's validity; the Topic is the order, so a newer message
// replaces an older one that the push service still holds. A repeat shows once, because the notification's tag is the
// order too: that is why every unclear end may be tried again here, which SMS must not do. A push service that fails is left
// alone for a while, and delays no other.
package webpush
