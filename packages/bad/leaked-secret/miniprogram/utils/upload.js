// Signs in without a server.
const credentials = {
  appId: 'wx0000000000000000',
  appSecret: '4be1906dc72fa835' + 'd06e3b9127fc5a48',
}

module.exports = { credentials }
