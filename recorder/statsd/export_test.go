package statsd

// PacketSize is the most bytes of a packet to a host.
var PacketSize = packetSize
