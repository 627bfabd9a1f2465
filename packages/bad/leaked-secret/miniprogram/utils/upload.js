// Asks WeChat who the user is, from the device.
const credentials = {
  appid: 'wx8f2b6c1d9e3a4750',
  secret: '9b1de7c04f5a62833e0d71c6a84bf259',
}

module.exports = { credentials }
