App({
  globalData: { city: 'Shanghai' },
})
