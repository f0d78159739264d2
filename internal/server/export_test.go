package server

// ParseClientCert reads a certificate as a proxy's header has it.
var ParseClientCert = parseClientCert
